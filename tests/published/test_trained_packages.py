"""Trained networks say the same from TVM packages as from PyTorch, number by number and answer by answer."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cnndsl import pipeline
from cnndsl.arrays.answers import answer, lines
from cnndsl.arrays.drawn import drawn_weights
from cnndsl.arrays.inputs import prepared_picture, read_picture
from cnndsl.arrays.use import Use
from cnndsl.backends.pytorch.live.inference import outputs
from cnndsl.backends.tvm.build import build
from cnndsl.ir.graph import Graph
from cnndsl.published.table import find, table
from cnndsl.training.trained.answering import Answering
from tests.published.trained import weighed

pytestmark = pytest.mark.tvm

ROOT = Path(__file__).parents[2]
COFFEE = ROOT / "docs" / "images" / "coffee.jpg"
SMALL = {
    "efficientnet_lite0": "3x96x96", "efficientnet_lite1": "3x96x96", "efficientnet_lite2": "3x96x96",
    "squeezenet1_1": "3x99x99", "yolov3_tiny": "3x96x96", "pnet": "3x41x60", "demosaicnet": "3x64x64",
    "mc_cnn_fast": "1x64x64", "deepbrain": "1x32x32x32", "esrgan_slim": "3x24x24", "hed": "3x64x64",
    "mobilenet_v2_features": "3x96x96",
}  # fmt: skip
"""Sizes of inputs, where a network's own is larger than a test needs."""
QUICK = ("rnet:facenet-pytorch",)
TRAINED = [
    entry.name if entry.name in QUICK else pytest.param(entry.name, marks=pytest.mark.slow)
    for entry in table()
    if entry.package
]


def difference(name: str) -> float:
    """The largest difference between TVM and PyTorch as a share of the largest value of an output, on noise."""
    network = name.partition(":")[0]
    graph, weights, _ = weighed(name, SMALL.get(network, ""))
    (given,) = graph.inputs
    x = np.random.default_rng(0).normal(size=(1, *given.type.shape)).astype(np.float32)
    expected = outputs(graph, weights, {given.name: x}, "float32")
    found = build(graph, weights)(x)
    named = found if isinstance(found, dict) else {next(iter(expected)): found}
    return max(float(np.abs(named[key] - expected[key]).max() / np.abs(expected[key]).max()) for key in expected)


@pytest.mark.parametrize("name", TRAINED)
def test_a_trained_network_gives_through_tvm_what_pytorch_gives(name: str) -> None:
    assert difference(name) < 1e-4


def says(graph: Graph, weights: dict[str, np.ndarray], use: Use, folder: Path) -> tuple[Any, Any, list[str], list[str]]:
    """Of a cup of coffee: PyTorch's answer, the package's, its lines, and what the package's own `predict.py` prints."""
    ((_, expected),) = Answering(graph, weights, use).answers([COFFEE])
    package = build(graph, weights)
    package.manifest = package.manifest.used(use)
    channels, height, width = graph.inputs[0].type.shape
    x, frame = prepared_picture(read_picture(COFFEE), (channels, height, width), use.reading)
    found = package(x)
    named = found if isinstance(found, dict) else {graph.outputs[0].name: found}
    own = answer(use.answer, {key: value[0] for key, value in named.items()}, (height, width), frame)
    where = package.export(folder / "package")
    code = "import sys; sys.modules['torch'] = None; import runpy; sys.argv = sys.argv[1:]; runpy.run_path(sys.argv[0], run_name='__main__')"
    command = [sys.executable, "-c", code, str(where / "predict.py"), str(COFFEE), str(folder / "drawn.png")]
    done = subprocess.run(command, capture_output=True, text=True, cwd=where, check=False)
    assert done.returncode == 0, done.stderr
    return expected, own, lines(own, 5), done.stdout.splitlines()


def same_boxes(expected: Any, found: Any) -> None:
    assert len(found["boxes"]) == len(expected["boxes"]) > 0
    for one, other in zip(found["boxes"], expected["boxes"], strict=True):
        assert one["label"] == other["label"]
        assert one["share"] == pytest.approx(other["share"], abs=1e-4)
        assert one["box"] == pytest.approx(other["box"], abs=0.2)


@pytest.mark.slow
def test_a_package_of_yolo_finds_the_cup_where_pytorch_finds_it(tmp_path: Path) -> None:
    graph, weights, entry = weighed("yolov3_tiny:coco", "3x224x224")
    expected, found, told, printed = says(graph, weights, entry.use, tmp_path)
    same_boxes(expected, found)
    assert "cup" in [box["label"] for box in found["boxes"]]
    assert printed == told
    assert (tmp_path / "drawn.png").is_file()


@pytest.mark.slow
def test_a_package_of_retinanet_has_pytorch_s_boxes(tmp_path: Path) -> None:
    """Its weights are published where tests do not fetch: these are drawn, and the surest of what they see is compared."""
    graph = pipeline.load("retinanet_resnet50_fpn", inputs={"": "3x128x128"}).graph
    weights, use = drawn_weights(graph, 0), find("retinanet_resnet50_fpn").use
    x, _ = prepared_picture(read_picture(COFFEE), (3, 128, 128), use.reading)
    logits = outputs(graph, weights, {graph.inputs[0].name: x[None]}, "float32")[use.answer["scores"]]
    surest = float(np.sort(logits.reshape(-1))[-40])
    use = replace(use, answer={**use.answer, "threshold": 1 / (1 + np.exp(-surest - 1e-3 * abs(surest)))})
    expected, found, told, printed = says(graph, weights, use, tmp_path)
    same_boxes(expected, found)
    assert printed == told


@pytest.mark.slow
def test_a_package_of_a_segmenter_has_pytorch_s_regions(tmp_path: Path) -> None:
    graph = pipeline.load("lraspp_mobilenet_v3_large", inputs={"": "3x96x96"}).graph
    use = find("lraspp_mobilenet_v3_large").use
    expected, found, told, printed = says(graph, drawn_weights(graph, 0), use, tmp_path)
    # At the edge between two regions their scores are as good as the same.
    assert (found["mask"] == expected["mask"]).mean() > 0.999
    assert [row["label"] for row in found["regions"][:3]] == [row["label"] for row in expected["regions"][:3]]
    assert printed == told
