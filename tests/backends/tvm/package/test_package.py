"""Guards `backends/tvm/package/export.py`, `backends/tvm/package/loaded.py`, `backends/tvm/package/built.py` and
`backends/tvm/package/manifest.py`. Packages are written whole or not at all, run without cnndsl, and never when
a file has changed.
"""

from __future__ import annotations

import json
import subprocess
import sys
from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest

from cnndsl.arrays.drawn import drawn_weights
from cnndsl.backends.tvm.build import build
from cnndsl.backends.tvm.code import linking
from cnndsl.backends.tvm.package.built import BuiltPackage
from cnndsl.backends.tvm.package.loaded import load
from cnndsl.diagnostics.errors import CnnError, MissingPart
from cnndsl.ir.graph import Graph
from cnndsl.pipeline import parse_text
from tests.backends.tvm.against_torch import inputs_for, torch_outputs

pytestmark = pytest.mark.tvm

TEXT = "input x: 3×8×9\ninput v: 4\na = x → Conv3x3(5) → BN → ReLU → FC(6)\nb = v → FC(6)\nc = a → add{ id | b }\noutput c, a"


@pytest.fixture(scope="module")
def network() -> Graph:
    return parse_text(TEXT, "two.cnn").graph


@pytest.fixture(scope="module")
def package(network: Graph) -> BuiltPackage:
    return build(network, drawn_weights(network, 3), batch=2, origin="w.pth")


@pytest.fixture(scope="module")
def exported(package: BuiltPackage, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return package.export(tmp_path_factory.mktemp("packages") / "two")


def test_a_package_says_what_it_is(exported: Path, network: Graph) -> None:
    manifest = json.loads((exported / "manifest.json").read_text("utf-8"))
    assert manifest["schema"] == 1
    assert manifest["inputs"] == [
        {"name": "x", "shape": [3, 8, 9], "dtype": "float32"},
        {"name": "v", "shape": [4], "dtype": "float32"},
    ]
    assert [(o["name"], o["shape"]) for o in manifest["outputs"]] == [("c", [6]), ("a", [6])]
    assert (manifest["batches"], manifest["weights"], manifest["precision"]) == ([2], "w.pth", "f32")
    assert (manifest["target"], manifest["strict_numerics"], manifest["tuned"]) == ("llvm", False, [])
    names = sorted(file.name for file in exported.iterdir())
    assert names == [
        "answers.py",
        "example.c",
        "graph.json",
        "lib.so",
        "manifest.json",
        "network.cmake",
        "network.h",
        "network.pc",
        "pictures.py",
        "predict.py",
        "sample.safetensors",
        "source.cnn",
        "weights.safetensors",
    ]
    assert {name: sha256((exported / name).read_bytes()).hexdigest() for name in manifest["files"]} == manifest["files"]
    assert (exported / "source.cnn").read_text("utf-8") == TEXT
    assert Graph.model_validate_json((exported / "graph.json").read_text("utf-8")) == network
    assert not [file for file in exported.parent.iterdir() if file != exported]


def test_loaded_it_gives_torchs_numbers_by_position_and_by_name(exported: Path, network: Graph) -> None:
    loaded = load(exported)
    for count in (1, 2, 5):
        inputs = inputs_for(network, count)
        expected = torch_outputs(network, drawn_weights(network, 3), inputs)
        for found in (loaded(*inputs.values()), loaded(**inputs)):
            assert list(found) == ["c", "a"]
            for name, value in expected.items():
                assert np.abs(found[name] - value).max() < 1e-5 * np.abs(value).max()
    single = {name: array[0] for name, array in inputs_for(network, 1).items()}
    assert loaded(**single)["c"].shape == (1, 6)


FRESH = """
import runpy, sys
for name in ("cnndsl", "torch", "pydantic"):
    sys.modules[name] = None  # from here on importing it is an error
sys.argv = ["predict.py", *sys.argv[2:]]
sys.exit(runpy.run_path(__PATH__)["main"](sys.argv[1:]))
"""


def test_a_fresh_process_runs_it_without_cnndsl_and_torch(exported: Path, network: Graph, tmp_path: Path) -> None:
    inputs = inputs_for(network, 3)
    np.savez(tmp_path / "x.npz", x=inputs["x"], v=inputs["v"])
    program = FRESH.replace("__PATH__", repr(str(exported / "predict.py")))
    command = [sys.executable, "-I", "-c", program, "-", str(tmp_path / "x.npz"), str(tmp_path / "y.npz")]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, ""), done.stderr
    found = np.load(tmp_path / "y.npz")
    for name, value in torch_outputs(network, drawn_weights(network, 3), inputs).items():
        assert np.abs(found[name] - value).max() < 1e-5 * np.abs(value).max()


@pytest.mark.parametrize(
    ("arrays", "named", "found"),
    [
        (((3, 8, 8), (4,)), {}, "3×8×8"),
        (((1, 2, 3, 8, 9), (4,)), {}, "1×2×3×8×9"),
        (((3, 8, 9),), {}, "'v' is missing"),
        (((3, 8, 9),), {"w": (4,)}, "no input 'w'"),
        (((3, 8, 9), (4,)), {"x": (3, 8, 9)}, "'x' is given twice"),
        (((3, 8, 9), (4,), (4,)), {}, "found 3"),
        (((2, 3, 8, 9), (3, 4)), {}, "found 2, 3"),
        (((0, 3, 8, 9), (0, 4)), {}, "found 0"),
    ],
)
def test_wrong_inputs_are_told_apart(
    package: BuiltPackage, arrays: tuple[tuple[int, ...], ...], named: dict[str, tuple[int, ...]], found: str
) -> None:
    with pytest.raises(CnnError, match="wrong-input") as caught:
        package(
            *(np.zeros(shape, np.float32) for shape in arrays),
            **{name: np.zeros(shape, np.float32) for name, shape in named.items()},
        )
    assert found in caught.value.diagnostics[0].message


def test_whole_numbers_are_not_taken_for_an_image(package: BuiltPackage) -> None:
    with pytest.raises(CnnError, match="uint8"):
        package(np.zeros((3, 8, 9), np.uint8), np.zeros(4, np.float32))
    double = package(np.ones((3, 8, 9)), np.ones(4))
    assert np.array_equal(double["c"], package(np.ones((3, 8, 9), np.float32), np.ones(4, np.float32))["c"])


@pytest.mark.parametrize("name", ["lib.so", "weights.safetensors", "source.cnn", "graph.json", "predict.py"])
def test_a_changed_or_missing_file_is_named_before_anything_is_loaded(
    package: BuiltPackage, tmp_path: Path, name: str
) -> None:
    path = package.export(tmp_path / "p")
    content = (path / name).read_bytes()
    for damage in (content[:-1] + bytes([content[-1] ^ 1]), None):
        if damage is None:
            (path / name).unlink()
        else:
            (path / name).write_bytes(damage)
        with pytest.raises(CnnError, match=f"damaged-package.*{name}"):
            load(path)


def test_a_manifest_that_hides_a_file_is_damaged(package: BuiltPackage, tmp_path: Path) -> None:
    path = package.export(tmp_path / "p")
    manifest = json.loads((path / "manifest.json").read_text("utf-8"))
    for damage in ({**manifest, "files": {}}, {**manifest, "batches": "2"}, {}):
        (path / "manifest.json").write_text(json.dumps(damage), "utf-8")
        with pytest.raises(CnnError, match="damaged-package"):
            load(path)
    with pytest.raises(CnnError, match="damaged-package"):
        load(tmp_path / "absent")


def test_only_packages_and_empty_directories_are_replaced(package: BuiltPackage, tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("years of work")
    (tmp_path / "file").write_text("")
    for name in ("mine", "file"):
        with pytest.raises(CnnError, match="not-a-package"):
            package.export(tmp_path / name)
    assert (tmp_path / "mine" / "thesis.txt").read_text() == "years of work"
    (tmp_path / "empty").mkdir()
    for _ in range(2):
        assert load(package.export(tmp_path / "empty")).manifest.model == package.manifest.model
    assert sorted(path.name for path in tmp_path.iterdir()) == ["empty", "file", "mine"]


def test_without_a_compiler_nothing_is_written(
    package: BuiltPackage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("CC", raising=False)
    monkeypatch.delenv("CXX", raising=False)
    monkeypatch.setattr(linking, "find_spec", lambda _name: None)
    with pytest.raises(MissingPart, match="pip install ziglang"):
        package.export(tmp_path / "p")
    assert not (tmp_path / "p").exists()


def test_first_values_of_a_seed_are_said_in_the_manifest(network: Graph) -> None:
    first, again = build(network, seed=4), build(network, seed=4)
    assert first.manifest.weights == "seed 4"
    x = inputs_for(network, 1)
    assert np.array_equal(first(**x)["c"], again(**x)["c"])
    with pytest.raises(CnnError, match="missing-weight"):
        build(network, {})
