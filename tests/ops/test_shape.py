"""Guards `ops/slice.py`, `ops/split.py`, `ops/permute.py` and `ops/reshape.py`. Layers that move numbers and compute
nothing, as the language writes them."""

from __future__ import annotations

import pytest
import torch

from cnndsl.backends.pytorch.live.module import to_torch
from cnndsl.diagnostics.errors import CnnError
from cnndsl.ir.graph import Graph
from cnndsl.ops.permute import Permute
from cnndsl.ops.reshape import Reshape
from cnndsl.pipeline import parse_text


def network(text: str) -> Graph:
    return parse_text(text).graph


def refused(text: str) -> tuple[str, str]:
    """The id of the one diagnostic, and the text it points at."""
    with pytest.raises(CnnError) as caught:
        network(text)
    (found,) = caught.value.diagnostics
    assert found.help
    assert found.span is not None
    return found.id, found.span.text


def test_axes_may_be_one_tuple_or_several_numbers() -> None:
    for text in ("Permute(1, 2, 0)", "Permute((1, 2, 0))", "Permute([1, 2, 0])", "Permute(axes=(1, 2, 0))"):
        (node,) = network(f"input 3×4×5\n{text}").nodes
        assert node.op == Permute(axes=(1, 2, 0))
        assert (node.type.shape, node.type.channel_axis) == ((4, 5, 3), 2)
    (node,) = network("input 24\nReshape(2, 3, -1)").nodes
    assert node.op == Reshape(shape=(2, 3, -1))
    assert node.type.shape == (2, 3, 4)


def test_channels_stay_known_through_permute_and_reshape() -> None:
    found = network("input 3×4×5\nPermute(1, 2, 0) as a → Reshape(20, 3) as b → Linear(7)").nodes
    assert [node.type.channels for node in found] == [3, 3, 7]
    assert found[1].type.kind == "tokens"


def test_a_split_becomes_slices() -> None:
    graph = network("input 6×4×4\nparts = in → Split([1, 2, 3])\ncat{ parts[2] | parts[0] | parts[1] → ReLU }")
    assert [node.op.word for node in graph.nodes] == ["Slice", "Slice", "Slice", "ReLU", "cat"]
    x = torch.randn(2, 6, 4, 4)
    expected = torch.cat([x[:, 3:], x[:, :1], x[:, 1:3].relu()], dim=1)
    assert torch.equal(to_torch(graph)(x), expected)


def test_crop_takes_the_odd_row_off_the_end() -> None:
    x = torch.arange(7.0).reshape(1, 1, 7)
    assert to_torch(network("input 1×7\nCrop(size=4)"))(x).flatten().tolist() == [1, 2, 3, 4]


def test_roll_is_numpys() -> None:
    x = torch.randn(2, 3, 4, 5)
    rolled = to_torch(network("input 3×4×5\nRoll((-1, 7))"))(x)
    assert torch.equal(rolled, torch.roll(x, (-1, 7), (2, 3)))


def test_zeros_fill_a_shortcut_up() -> None:
    x = torch.randn(2, 3, 4, 4)
    expected = torch.cat([x, torch.zeros(2, 5, 4, 4)], dim=1)
    assert torch.equal(to_torch(network("input 3×4×4\ncat{ id | Zeros(5) }"))(x), expected)


@pytest.mark.parametrize(
    ("text", "id", "at"),
    [
        ("Permute(0, 1, 1)", "out-of-range", "0, 1, 1"),
        ("Permute(1, 0)", "out-of-range", "1, 0"),
        ("Reshape(7, 9)", "shape-mismatch", "7, 9"),
        ("Reshape(-1, 7)", "shape-mismatch", "-1, 7"),
        ("Reshape(2, 2, 2, 2, 2, 1, 3)", "out-of-range", "2, 2, 2, 2, 2, 1, 3"),
        ("Reshape(-1, -1)", "out-of-range", "-1, -1"),
        ("Pad(4, reflect)", "out-of-range", "4"),
        ("Pad((1, 2, 3))", "wrong-rank", "(1, 2, 3)"),
        ("Crop(size=9)", "out-of-range", "size=9"),
        ("Crop", "missing-argument", "Crop"),
        ("Slice(2, 9)", "out-of-range", "9"),
        ("Slice(2, 2)", "out-of-range", "2"),
        ("Slice(0, 1, axis=3)", "out-of-range", "axis=3"),
        ("(a, b) = in → Split(4)\na", "groups-mismatch", "4"),
        ("(a, b) = in → Split([4, 4])\na", "shape-mismatch", "[4, 4]"),
        ("ChannelShuffle(4)", "groups-mismatch", "4"),
        ("PixelShuffle(2)", "groups-mismatch", "2"),
        ("PixelUnshuffle(3)", "groups-mismatch", "3"),
        ("ToTokens → ToMap(3, 3)", "shape-mismatch", "3"),
        ("ToMap(4, 4)", "wrong-rank", "ToMap(4, 4)"),
        ("Flatten → Roll(1)", "wrong-rank", "Roll(1)"),
        ("Attention(2)", "wrong-rank", "Attention(2)"),
        ("ToTokens → Attention(4)", "groups-mismatch", "4"),
        ("ClassToken", "wrong-rank", "ClassToken"),
        ("max{ id | Conv1x1(5) }", "shape-mismatch", "Conv1x1(5)"),
        ("sub{ id | MaxPool }", "shape-mismatch", "MaxPool"),
        ("matmul{ id | MaxPool1x2 }", "shape-mismatch", "MaxPool1x2"),
    ],
)
def test_refusals_point_at_the_guilty_text(text: str, id: str, at: str) -> None:
    assert refused(f"input 6×4×6\n{text}") == (id, at)
