"""Trained networks out of the packages that `make` puts into .venv/trained, and the photographs there."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cnndsl import pipeline
from cnndsl.arrays.inputs import read_picture
from cnndsl.arrays.weights import checked
from cnndsl.backends.pytorch.live.inference import outputs
from cnndsl.ir.graph import Graph
from cnndsl.published.places import found, place
from cnndsl.published.table import Published, find
from cnndsl.published.weights import given_weights
from cnndsl.training.trained.answering import Answering

BESIDE = Path(sys.prefix) / "trained"
if str(BESIDE) not in sys.path:
    sys.path.append(str(BESIDE))
if (BESIDE / "weights").is_dir():
    # What is in no package of PyPI.
    os.environ.setdefault("CNNDSL_WEIGHTS", str(BESIDE / "weights"))


def photograph(name: str) -> Path:
    """One of scikit-image's pictures; the test is skipped where it is not there."""
    path = BESIDE / "skimage" / "data" / name
    if not path.is_file():
        pytest.skip("scikit-image's pictures are not in .venv/trained")
    return path


def entry_of(name: str) -> Published:
    """Published weights, `network:which`; the test is skipped where they are not on this machine."""
    network, _, which = name.partition(":")
    entry = find(network, which)
    if found(entry) is None:
        pytest.skip(f"{entry.package or entry.url} is not here: {place(entry)}")
    return entry


def weighed(name: str, size: str = "") -> tuple[Graph, dict[str, np.ndarray], Published]:
    """The network at a size, with its published weights."""
    entry = entry_of(name)
    graph = pipeline.load(entry.network, inputs={"": size} if size else {}).graph
    given = given_weights(graph, f"published:{entry.which}")
    return graph, checked(graph, given.arrays, given.origin), entry


def run(name: str, x: np.ndarray) -> dict[str, np.ndarray]:
    """What the network gives for inputs of any size, N×C×…, by PyTorch."""
    graph, weights, _ = weighed(name, "x".join(map(str, x.shape[1:])))
    return outputs(graph, weights, {graph.inputs[0].name: np.ascontiguousarray(x, np.float32)}, "float32")


def asked(name: str, *photographs: str, size: str = "") -> list[dict[str, Any]]:
    """What a network says of photographs."""
    graph, weights, entry = weighed(name, size)
    paths = [photograph(file) for file in photographs]
    return [answer for _, answer in Answering(graph, weights, entry.use).answers(paths)]


def pixels(name: str) -> np.ndarray:
    """A photograph as H×W×3, 0 to 1."""
    return np.asarray(read_picture(photograph(name)), np.float32) / 255


def psnr(found: np.ndarray, truth: np.ndarray) -> float:
    """How near a picture is to another, in decibel; both from 0 to 1."""
    return float(-10 * np.log10(np.mean((found.astype(np.float64) - truth) ** 2)))


def elsewhere(variable: str, default: str) -> Path:
    """A file of another package of the system, by default where Debian puts it; the test is skipped where it is not there."""
    path = Path(os.environ.get(variable, default))
    if not path.exists():
        pytest.skip(f"{path} is not here")
    return path
