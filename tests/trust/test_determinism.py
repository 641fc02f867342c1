"""The same input gives the same bytes, for any hash seed, twice in a row."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

SCRIPT = """
import hashlib, sys
from cnndsl import CnnError, load, pipeline, shelf
from cnndsl.backends.dot.emit import to_dot
from cnndsl.backends.dot.mermaid import to_mermaid
from cnndsl.render import render_all

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
    names = ["resnet18", "googlenet", "mobilenet_v3_small", "shufflenet_v2_x1_0", "unet", "vit_b_16"]
    first = said("0", names)
    lines = first.splitlines()
    assert len(lines) == len(names) * 12 + 1
    # Twice in a row in one process.
    for name in names:
        own = [line for line in lines if line.startswith(f"{name} ")]
        assert own[:6] == own[6:]
    assert said("1", names) == first
    assert said("4242", names) == first


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
