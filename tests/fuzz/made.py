"""A small good file of every kind that is not kept as bytes, because it is another on every machine: made when asked for."""

from __future__ import annotations

import atexit
import json
import os
import shutil
import tempfile
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from cnndsl import pipeline
from cnndsl.ir.graph import Graph

if TYPE_CHECKING:
    from cnndsl.backends.tvm.package.built import BuiltPackage

NETWORK = "input 1×8×8\nConv3x3(4) → ReLU → GlobalAvgPool → FC(2)"


@cache
def folder() -> Path:
    """A folder in memory, where there is one; it goes with the process."""
    memory = Path("/dev/shm")
    made = Path(tempfile.mkdtemp(prefix="fuzz-", dir=memory if os.access(memory, os.W_OK) else None))
    atexit.register(shutil.rmtree, made, ignore_errors=True)
    return made


@cache
def network() -> Graph:
    return pipeline.parse_text(NETWORK, "net.cnn").graph


@cache
def package(target: str = "llvm") -> Path:
    """A package of two batch sizes for this machine."""
    return small_package(target).export(folder() / f"package-{target}")


@cache
def small_package(target: str = "llvm") -> BuiltPackage:
    """The same, not written yet."""
    from cnndsl.arrays.weights import initial_weights
    from cnndsl.backends.tvm.build import build
    from cnndsl.backends.tvm.options import CompileOptions

    return build(network(), initial_weights(network(), 0), target, (1, 3), CompileOptions(threads=1))


def manifest() -> bytes:
    """Its manifest, with `@NAME@` where the checksum of a file stands."""
    found = json.loads((package() / "manifest.json").read_text("utf-8"))
    found["files"] = {name: f"@{name}@" for name in found["files"]}
    return json.dumps(found).encode()


def store() -> bytes:
    """A store of three records, behind one that is damaged and before one that is torn."""
    from cnndsl.backends.tvm.tuning.records import Measured, Place, Verdict
    from cnndsl.backends.tvm.tuning.store import HEADER, line_of

    place = Place(target="x86-64-v3", threads=2, tvm="0.27.0")
    records = [
        Measured(place=place, key="Conv 3", setting={"tile": [4, 2]}, seconds=1e-3),
        Measured(place=place, key="Conv 3", setting={"tile": None}, seconds=None, error="it crashed"),
        Verdict(place=place, key="Conv 3", setting={}, network="n", accepted=True, before=2.0, after=1.0),
    ]
    lines = [line_of(record.model_dump(mode="json")) for record in records]
    return HEADER + b'{"check":"0","record":{}}\n' + b"".join(lines) + lines[0][:40]


@cache
def run() -> Path:
    """A run that was trained for one epoch on its own data."""
    import numpy as np

    from cnndsl.training.options import Options
    from cnndsl.training.train import train

    data = folder() / "data.npz"
    images = np.random.default_rng(0).integers(0, 256, (8, 8, 8), np.uint8)
    np.savez(data, images=images, labels=np.arange(8) % 2)
    train(network(), Options(data=str(data), epochs=1, batch=4, augment=(), accelerator="cpu"), folder() / "run")
    return folder() / "run"


SEEDS = {
    "manifest": lambda: [manifest()],
    "package_weights": lambda: [(package() / "weights.safetensors").read_bytes()],
    "package_sample": lambda: [(package() / "sample.safetensors").read_bytes()],
    "store": lambda: [store()],
    "run": lambda: [(run() / "run.json").read_bytes()],
    "run_graph": lambda: [(run() / "graph.json").read_bytes()],
    "run_weights": lambda: [(run() / "best.safetensors").read_bytes()],
    "checkpoint": lambda: [(run() / "checkpoint.safetensors").read_bytes()],
    "data": lambda: [(run().parent / "data.npz").read_bytes()],
}


def seeds(name: str) -> list[bytes]:
    """What is made for this reader; nothing where its corpus is enough."""
    from tests.fuzz import of_weights

    known = SEEDS | of_weights.SEEDS
    return known[name]() if name in known else []
