"""Guards what `summary --latency` says of a package's memory: a process that opens and runs the package asks for exactly that."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

from cnndsl.arrays.drawn import drawn_weights
from cnndsl.backends.tvm.build import build
from cnndsl.backends.tvm.options import CompileOptions
from cnndsl.backends.tvm.target import find_cpu
from cnndsl.cli import cli
from cnndsl.pipeline import load
from tests.latency.stored import stored

pytestmark = [
    pytest.mark.tvm,
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform != "linux" or shutil.which("cc") is None, reason="takes Linux and a C compiler"),
]

LENET = "input 1×32×32\nConv5x5(6) → ReLU → MaxPool → Conv5x5(16) → ReLU → MaxPool → Flatten → FC(120) → ReLU → FC(10)"
RESIDUAL = "input 3×32×32\nConv3x3(32) → ReLU → [add{ Conv3x3(32) → ReLU → Conv3x3(32) | id } → ReLU]×2 → GlobalAvgPool → FC(10)"
JOINED = (
    "input 16×16×16\ncat{ Conv1x1(32) → ReLU | Conv3x3(64) → ReLU } → cat{ id | Conv3x3(32) } → MaxPool → Conv1x1(20)"
)
DEPTHWISE = "input 3×48×48\nConv3x3(24, stride=2) → BN → ReLU → DWConv3x3 → BN → ReLU → Conv1x1(40) → BN → SiLU → GlobalAvgPool → FC(7)"
TWO = "input 16×16×16\nConv3x3(32) → ReLU as a → Conv3x3(32) as b\noutput a\noutput b"
TABLES, MAPS = 8, 4
"""Arrays that opening a package asks for, and the number of the one for all maps: the others say where tensors lie (`open_from` in
`network.c`). What a run asks for is copies of inputs and outputs that start at no cache line, and what kernels need for themselves."""
THREADS = 2


@pytest.fixture(scope="module")
def hearing(tmp_path_factory: pytest.TempPathFactory) -> Path:
    library = tmp_path_factory.mktemp("heard") / "heard.so"
    source = Path(__file__).with_name("heard.c")
    subprocess.run(["cc", "-shared", "-fPIC", "-o", str(library), str(source), "-ldl"], check=True)
    return library


@pytest.mark.parametrize(
    ("text", "batch"), [(LENET, 1), (RESIDUAL, 1), (RESIDUAL, 3), (JOINED, 1), (DEPTHWISE, 1), (TWO, 1)]
)
def test_a_process_asks_for_what_the_summary_says(text: str, batch: int, hearing: Path, tmp_path: Path) -> None:
    file, machine = tmp_path / "net.cnn", tmp_path / "this.json"
    file.write_text(text, "utf-8")
    replace(stored(), cpu=find_cpu("llvm"), threads=THREADS).save(machine)
    asked = ["summary", str(file), "--latency", "--target", str(machine), "--batch", str(batch), "--format", "json"]
    told = json.loads(CliRunner().invoke(cli, asked).stdout)["latency"]
    mapped, arrays = heard(file, batch, hearing, tmp_path / "package")
    head = 8 + int.from_bytes((tmp_path / "package" / "weights.safetensors").read_bytes()[:8], "little")
    assert mapped == [head + told["weight_bytes"]]
    opened = arrays[:TABLES]
    assert opened.pop(MAPS) == told["map_bytes"]
    assert sum(opened) < 8192


def heard(file: Path, batch: int, hearing: Path, package: Path) -> tuple[list[int], list[int]]:
    """Bytes of the files that a run of the package's C example maps, and of the arrays that it asks for, in order."""
    graph = load(str(file)).graph
    build(graph, drawn_weights(graph, 3), batch=batch, options=CompileOptions(threads=THREADS)).export(package)
    command = ["cc", "-O2", "example.c", "lib.so", "-Wl,-rpath,$ORIGIN", "-o", "example"]
    subprocess.run(command, cwd=package, check=True)
    done = subprocess.run(
        ["./example", "weights.safetensors"],
        cwd=package,
        env=os.environ | {"LD_PRELOAD": str(hearing)},
        capture_output=True,
        encoding="utf-8",
        check=True,
    )
    lines = [line.split() for line in done.stderr.splitlines()]
    mapped, arrays = ([int(bytes) for what, bytes in lines if what == kind] for kind in ("file", "array"))
    return mapped, arrays
