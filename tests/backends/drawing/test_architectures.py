"""Guards `backends/drawing`: every architecture on the shelf can be drawn, and its picture has every layer."""

from __future__ import annotations

import re
from collections import Counter

import pytest

from cnndsl.backends.drawing.diagram.diagram import Box
from cnndsl.backends.drawing.diagram.structure import diagram
from cnndsl.backends.drawing.formats.graphviz import to_dot
from cnndsl.disk.shelf import architectures
from cnndsl.pipeline import load, parse_text
from tests.few import few

SHAPES = {
    "alexnet", "convnext_tiny", "densenet121", "efficientnet_b0", "googlenet", "inception_v3", "lraspp_mobilenet_v3_large", "maxvit_t",
    "resnet18", "resnext50_32x4d", "retinanet_resnet50_fpn", "shufflenet_v2_x0_5", "slowfast_r50", "ssd300_vgg16", "swin_t", "textcnn",
    "unet", "unet3d", "vit_b_16", "wavenet", "yolov8n",
}  # fmt: skip
"""Chains, branches, repeats, several inputs and outputs: one of each shape that graphs have."""
NAMES = architectures()


def test_there_is_one_of_each_shape() -> None:
    assert set(NAMES) >= SHAPES


@pytest.mark.parametrize("name", few(NAMES, {at for at, name in enumerate(NAMES) if name in SHAPES}))
def test_every_node_of_every_network_is_drawn_once(name: str) -> None:
    graph = load(name).graph
    for picture in (diagram(graph), diagram(graph, expand=True)):
        cells = [cell for box in picture.boxes() if isinstance(box, Box) for cell in box.cells]
        assert Counter(n.name for cell in cells for n in cell.nodes) == Counter(n.name for n in graph.nodes)
    ids = Counter(re.findall(r'(?i)\bid="op:([^"]*)"', to_dot(graph, expand=True)))
    assert ids == Counter(n.name for n in graph.nodes)


def times(name: str) -> list[int]:
    text = to_dot(load(name).graph)
    return [int(number) for number in re.findall(r"<B> ×(\d+) </B>", text)]


def test_repeats_are_those_of_the_papers() -> None:
    assert times("resnet50") == [2, 3, 5, 2]
    assert times("resnet152") == [2, 7, 35, 2]
    assert times("resnet18") == [2]
    assert times("vgg16") == [2, 2, 3, 3, 3]
    assert times("alexnet") == [2]  # the last two convolutions, 256 channels each


def test_resnet50_by_stages_is_what_the_paper_prints() -> None:
    text = to_dot(load("resnet50").graph, depth=1)
    words = [re.sub("<[^>]*>", " ", label).split() for label in re.findall(r"label=<(.*)>\]", text)]
    boxes = [" ".join(label) for label in words if label and label[0].startswith("layer")]
    assert boxes == [
        "layer1 Stage → 256×56×56 216K params · 668M MACs",
        "layer2 Stage → 512×28×28 1.22M params · 1.03G MACs",
        "layer3 Stage → 1024×14×14 7.1M params · 1.46G MACs",
        "layer4 Stage → 2048×7×7 15M params · 809M MACs",
    ]


def test_a_repeat_written_as_one_is_drawn_as_one() -> None:
    graph = parse_text("input 3×8×8\n[Conv3x3(4) → ReLU]×3 → FC(2)").graph
    assert [(b.times, len(b.cells)) for b in diagram(graph).boxes() if isinstance(b, Box)] == [(3, 2), (1, 2)]


def test_a_chain_of_a_thousand_layers_is_drawn() -> None:
    graph = parse_text("input 1×4×4\n" + " → ".join(["ReLU", "MaxPool1x1"] * 500)).graph
    assert len(list(diagram(graph).boxes())) == 1000


def test_an_output_named_by_position_is_called_output() -> None:
    assert "<B>output</B>" in to_dot(parse_text("input 1×4×4\nReLU").graph)
    assert "<B>fc</B>" in to_dot(load("resnet18").graph)
