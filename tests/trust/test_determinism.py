"""The same input gives the same bytes, for any hash seed, twice in a row."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.few import few

ROOT = Path(__file__).resolve().parents[2]

SCRIPT = """
import hashlib, sys
from cnndsl import CnnError, load, pipeline
from cnndsl.disk import shelf
from cnndsl.backends.drawing.formats.graphviz import to_dot
from cnndsl.backends.drawing.formats.mermaid import to_mermaid
from cnndsl.diagnostics.render import render_all

def told(name, *texts):
    for text in texts:
        print(name, hashlib.sha256(text.encode()).hexdigest()[:16])

for name in sys.argv[1:]:
    for _ in range(2):
        net = load(name)
        told(name, net.summary().to_json(), net.to_json(), net.to_source(), to_dot(net.graph), to_mermaid(net.graph))
        told(name, pipeline.format_text(shelf.architecture(name)))
try:
    pipeline.parse_text("input 3×8×8\\nConv(8, windw=3) → Rellu → Conv3x3(c) → BN(epss=1)")
except CnnError as error:
    told("error", render_all(error.diagnostics))
"""


def said(seed: str, names: list[str]) -> str:
    environment = {**os.environ, "PYTHONHASHSEED": seed}
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, *names], cwd=ROOT, env=environment, capture_output=True, check=True
    )
    return done.stdout.decode()


def test_every_text_is_the_same_for_every_hash_seed() -> None:
    names = ["resnet18", "googlenet", "mobilenet_v3_small", "unet", "vit_b_16"]
    first = said("0", names)
    lines = first.splitlines()
    assert len(lines) == len(names) * 12 + 1
    # Twice in a row in one process.
    for name in names:
        own = [line for line in lines if line.startswith(f"{name} ")]
        assert own[:6] == own[6:]
    assert said("4242", names) == first


# Deep enough for Winograd's kernels, joined along the channels.
JOINED = """input 3×32×32
Conv3x3(64) → ReLU → Conv3x3(64) → cat{ Conv1x1(16) | Conv3x3(32) } → MaxPool → Conv3x3(64) → GlobalAvgPool → FC(10)
"""

PACKAGES = """
import sys
from cnndsl.backends.tvm.build import build
from cnndsl.pipeline import parse_text
graph = parse_text(sys.argv[2]).graph
for turn in "12":
    build(graph, None, batch=(1, 8)).export(f"{sys.argv[1]}/f32-{turn}")
    build(graph, None, options=CompileOptions(precision="bf16")).export(f"{sys.argv[1]}/bf16-{turn}")
    build(graph, None, "c").export(f"{sys.argv[1]}/c-{turn}")
"""

FILES = """
import sys
import cnndsl.cli as cli
for turn in sys.argv[2]:
    for kind in ("onnx", "pt2", "safetensors", "torch", "ir"):
        assert cli.run(["compile", "lenet5", "--to", kind, "-o", f"{sys.argv[1]}/net-{turn}.{kind}"]) == 0
    assert cli.run(["draw", "lenet5", "-o", f"{sys.argv[1]}/net-{turn}.svg"]) == 0
    assert cli.run(["report", "lenet5", "-o", f"{sys.argv[1]}/net-{turn}.html"]) == 0
"""


def written(folder: Path, script: str, *arguments: str) -> dict[str, dict[str, str]]:
    """Checksums of all that a script wrote there, by turn and name, for two hash seeds."""
    found: dict[str, dict[str, str]] = {}
    for seed in ("0", "7"):
        (folder / seed).mkdir()
        subprocess.run(
            [sys.executable, "-c", script, str(folder / seed), *arguments],
            cwd=ROOT,
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            check=True,
        )
        for path in (folder / seed).rglob("*"):
            if path.is_file():
                name = str(path.relative_to(folder / seed))
                turn = "1" if "-1" in name else "2"
                sums = found.setdefault(f"{seed}, turn {turn}", {})
                sums[name.replace(f"-{turn}", "")] = hashlib.sha256(path.read_bytes()).hexdigest()
    return found


def unlike(found: dict[str, dict[str, str]]) -> set[str]:
    """The names of files that are not the same everywhere."""
    first, *others = found.values()
    assert others
    return {name for sums in others for name in first.keys() | sums.keys() if first.get(name) != sums.get(name)}


@pytest.mark.slow
@pytest.mark.tvm
def test_packages_of_every_kind_are_the_same(tmp_path: Path) -> None:
    pytest.importorskip("tvm")
    found = written(tmp_path, PACKAGES, JOINED)
    assert {name.split("/")[0] for name in found["0, turn 1"]} == {"f32", "bf16", "c"}
    assert len(found) == 4
    assert unlike(found) == set()


@pytest.mark.parametrize("turns", few(["1", "12"], 1))
def test_files_for_others_are_the_same(tmp_path: Path, turns: str) -> None:
    pytest.importorskip("onnx")
    found = written(tmp_path, FILES, turns)
    assert len(found) == 2 * len(turns)
    assert len(found["0, turn 1"]) == 7
    assert unlike(found) == set()


def test_a_package_is_the_same_but_for_the_linker(tmp_path: Path) -> None:
    pytest.importorskip("tvm")
    for seed in ("0", "7"):
        subprocess.run(
            [sys.executable, "-m", "cnndsl", "compile", "lenet5", "--to", "tvm", "-o", str(tmp_path / seed)],
            cwd=ROOT,
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            check=True,
        )
    one, two = (
        {p.name: hashlib.sha256(p.read_bytes()).hexdigest() for p in (tmp_path / seed).iterdir()} for seed in ("0", "7")
    )
    assert one == two
