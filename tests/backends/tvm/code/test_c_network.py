"""Guards `backends/tvm/code/c_network.py` and `backends/tvm/code/c_writer.py`. Networks as C source, built by a
plain C compiler: PyTorch's numbers.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from cnndsl.arrays.drawn import drawn_weights
from cnndsl.backends.tvm import predict
from cnndsl.backends.tvm.build import build
from cnndsl.backends.tvm.code import c_network, linking
from cnndsl.backends.tvm.package.loaded import load
from cnndsl.diagnostics.errors import MissingPart
from cnndsl.pipeline import parse_text
from tests.backends.tvm.against_torch import inputs_for, relative_error, torch_outputs
from tests.few import few

pytestmark = [pytest.mark.tvm, pytest.mark.skipif(shutil.which("cc") is None, reason="takes a C compiler")]


@pytest.mark.parametrize(
    "text",
    few(
        [
            "input 3×21×17\nConv3x3(20, 2) → BN → ReLU → DWConv3x3 → SiLU → add{ Conv3x3(20) → BN | id } → MaxPool → Conv1x1(33) → GlobalAvgPool → FC(10) → Softmax",
            "input 16×7×7\ncat{ id | Conv3x3(32, groups=4) | Conv1x1(3) } → GELU → ConvT2x2(8, 2) → AvgPool3x3(2, 1) → Flatten → FC(9) → LN → Tanh",
            "input x: 3×8×9\ninput v: 4\na = x → Conv3x3(5) → Mish → FC(6)\nb = v → FC(6) → Sigmoid\nc = a → add{ id | b }\noutput c, a",
            # Arrays that are no weights: positions that are reflected, numbers of the program.
            "input 3×6×7\nBlurPool → Conv1x1(4) → add{ id | Const([[[1]], [[-2.5]], [[1e-9]], [[3]]]) }",
        ],
        {2, 3},
    ),
)
def test_kernels_as_c(text: str) -> None:
    assert relative_error(parse_text(text).graph, batch=2, count=3, target="c") < 1e-5


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    graph = parse_text("input 3×9×9\nConv3x3(8) → ReLU → MaxPool → FC(4)", "small.cnn").graph
    return build(graph, drawn_weights(graph, 2), target="c").export(tmp_path_factory.mktemp("c") / "p")


FRESH = """
import runpy, sys
for name in ("cnndsl", "torch", "tvm", "tvm_ffi"):
    sys.modules[name] = None  # from here on importing it is an error
sys.argv = ["predict.py", *sys.argv[2:]]
sys.exit(runpy.run_path(__PATH__)["main"](sys.argv[1:]))
"""


def test_a_fresh_process_runs_it_without_tvm(exported: Path, tmp_path: Path) -> None:
    graph = parse_text("input 3×9×9\nConv3x3(8) → ReLU → MaxPool → FC(4)", "small.cnn").graph
    inputs = inputs_for(graph, 3)
    (x,) = inputs.values()
    np.save(tmp_path / "x.npy", x)
    program = FRESH.replace("__PATH__", repr(str(exported / "predict.py")))
    command = [sys.executable, "-I", "-c", program, "-", str(tmp_path / "x.npy"), str(tmp_path / "y.npy")]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, ""), done.stderr
    (expected,) = torch_outputs(graph, drawn_weights(graph, 2), inputs).values()
    assert np.abs(np.load(tmp_path / "y.npy") - expected).max() < 1e-5 * np.abs(expected).max()
    assert load(exported).self_test() < 1e-6


def test_the_source_builds_as_its_head_says_without_a_warning(exported: Path, tmp_path: Path) -> None:
    text = (exported / "network.c").read_text("utf-8")
    (line,) = [line for line in text.splitlines() if line.startswith(" * Build:")]
    words = line.removeprefix(" * Build:").split()
    assert words[-4:] == ["-o", "lib.so", "network.c", "-lm"]
    shutil.copy(exported / "network.c", tmp_path)
    strict = [*words, "-Wall", "-Wextra", "-Werror", "-Wno-unknown-pragmas"]
    done = subprocess.run(strict, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    manifest = predict.read_manifest(exported)
    (part,) = manifest["variants"][0]["programs"]
    weights = predict.read_weights(exported / "weights.safetensors")
    constants = [weights[key] for key in part["constants"]]
    run = predict.c_runnable(str(tmp_path / "lib.so"), manifest["inputs"], manifest["outputs"], 1, constants)
    sample = predict.read_weights(exported / "sample.safetensors")
    (given,), (expected,) = ([a for key, a in sample.items() if key.startswith(kind)] for kind in ("input.", "output."))
    (found,) = run([np.array(given)])
    assert np.abs(found - expected).max() < 1e-6 * np.abs(found).max()


@pytest.mark.parametrize("kind", ["input", "output", "constant"])
def test_arrays_of_other_sizes_are_refused_before_anything_runs(exported: Path, tmp_path: Path, kind: str) -> None:
    """C believes its sizes: numbers behind an array's end would be read, or written."""
    manifest = predict.read_manifest(exported)
    (part,) = manifest["variants"][0]["programs"]
    weights = predict.read_weights(exported / "weights.safetensors")
    constants = [weights[key] for key in part["constants"]]
    if kind == "constant":
        constants[-1] = constants[-1][..., :-1]
    else:
        manifest[f"{kind}s"][0]["shape"][0] += 1
    with pytest.raises(ValueError, match=r"its array .* has not"):
        predict.c_runnable(exported / part["library"], manifest["inputs"], manifest["outputs"], 1, constants)


def test_without_a_compiler_the_source_is_written_and_running_it_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = build(parse_text("input 3×4×4\nReLU").graph, target="c")

    def none(_architecture: str = "") -> tuple[str, ...]:
        raise MissingPart("no compiler", "install one")

    monkeypatch.setattr(c_network, "compiler", none)
    monkeypatch.setattr(linking, "compiler", none)
    path = package.export(tmp_path / "p")
    assert (path / "network.c").is_file()
    assert not (path / "lib.so").exists()
    with pytest.raises(MissingPart, match="C source without a library"):
        load(path)
