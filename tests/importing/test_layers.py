"""That every layer recognises itself: its examples go to PyTorch, through an export, and come back as the same network."""

from __future__ import annotations

from typing import Any

import pytest
from torch import nn

from cnndsl.backends.pytorch.live.module import to_torch
from cnndsl.diagnostics.errors import CnnError
from cnndsl.importing.from_torch import import_module
from cnndsl.ir.call import Call
from cnndsl.ir.graph import Graph
from cnndsl.ir.op import registry
from cnndsl.ir.tensor import TensorType
from tests.test_op_contract import written

ANOTHER = {
    "AdaptiveAvgPool(1)": ["GlobalAvgPool"],
    "AdaptiveMaxPool(1)": ["GlobalMaxPool"],
    "Conv3x3(6, dilation=2, groups=3)": ["DWConv"],
    "Crop(size=(2, 7))": ["Slice"],
    "Crop(size=4)": ["Slice"],
    "Linear(5)": ["FC"],
    "Normalize(0, [1, 2])": ["Const", "div"],
    "Mean(1, 2)": ["GlobalAvgPool", "Flatten"],
    "Mean(channels, 1, 2)": ["Mean", "GlobalAvgPool", "Flatten"],
    "ToTokens → Mean(0)": ["ToTokens", "GlobalAvgPool"],
    "Reshape(24)": ["Flatten"],
    "Unfold3x2(pad=((0, 1), (1, 0)))": ["Pad", "Unfold"],
    "sub{ id | Sigmoid | Tanh }": ["Sigmoid", "Tanh", "sub", "sub"],
}
"""Examples that come back in other words for the same."""

OTHERWISE = {"Fold", "PixelShuffle", "Sum", "Unfold", "div"}
"""Layers some of whose examples come back as the operations that they are computed by."""

NOT_YET = {"RelPosIndex", "Reorder"}
"""Layers that no pattern finds: their examples are refused."""

PARTLY = {"Const", "RelPos", "SinePos", "Weight", "attend"}
"""Layers some of whose examples are refused, and some come back as the operations that they are computed by."""

REFUSED = {
    "StdConv3x3(6, 2, groups=3, gain=true, gamma=1.7)",
    "StdConv3(4, gain=true, bias=false)",
}
"""Examples of other layers that are refused, too."""


class Side(nn.Module):  # type: ignore[misc]
    """Networks beside each other, each with an input and an output of its own."""

    def __init__(self, networks: list[Graph]) -> None:
        super().__init__()
        self.parts = nn.ModuleList(to_torch(network) for network in networks)

    def forward(self, *inputs: Any) -> tuple[Any, ...]:
        return tuple(part(x) for part, x in zip(self.parts, inputs, strict=True))


def expected_words(text: str, network: Graph) -> list[str]:
    if text in ANOTHER:
        return ANOTHER[text]
    apart: dict[str, list[str]] = {"Identity": []}
    return [word for node in network.nodes for word in apart.get(node.op.word, [node.op.word])]


@pytest.mark.parametrize("word", sorted(set(registry()) - {"Identity"} - NOT_YET - PARTLY))
def test_the_examples_of_a_layer_come_back_from_pytorch(word: str) -> None:
    texts = [example for example in registry()[word].examples if example[0] not in REFUSED]
    networks = [written(text, shape) for text, shape in texts]
    inputs = [(network.inputs[0].type.shape, network.inputs[0].type.dtype) for network in networks]
    imported = import_module(Side(networks).eval(), inputs, "examples", "the examples")
    wanted = [w for (text, _), network in zip(texts, networks, strict=True) for w in expected_words(text, network)]
    assert word in OTHERWISE or sorted(node.op.word for node in imported.graph.nodes) == sorted(wanted)
    assert imported.report.max_rel_error is not None
    assert imported.report.max_rel_error <= 1e-6


@pytest.mark.parametrize("word", sorted(NOT_YET))
def test_a_layer_without_a_pattern_is_refused(word: str) -> None:
    text, shape = registry()[word].examples[0]
    network = written(text, shape)
    inputs = [(i.type.shape, i.type.dtype) for i in network.inputs]
    with pytest.raises(CnnError, match="cannot-import"):
        import_module(to_torch(network).eval(), inputs, "example", "an example")


@pytest.mark.parametrize("word", sorted(registry()))
def test_a_layer_recognises_no_operation_of_another_name(word: str) -> None:
    x = TensorType(shape=(8, 6, 6))
    assert registry()[word].recognise(Call("cumsum", (8, 6, 6), {"dim": 1}), (x,)) is None
