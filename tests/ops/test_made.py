"""Layers that make a tensor of their own, and attention of given tokens: keys, places, values against PyTorch's words."""

from __future__ import annotations

import pytest
import torch

from cnndsl.analyses.receptive_field import receptive_fields
from cnndsl.backends.pytorch.live.module import to_torch
from cnndsl.diagnostics.errors import CnnError
from cnndsl.ir.graph import Graph
from cnndsl.passes.read_graph import read_graph
from cnndsl.pipeline import parse_text


def network(text: str) -> Graph:
    return parse_text(text).graph


def ids(text: str) -> list[str]:
    with pytest.raises(CnnError) as caught:
        parse_text(text)
    return [diagnostic.id for diagnostic in caught.value.diagnostics]


def test_the_label_of_a_trained_tensor_is_its_key() -> None:
    graph = network("input 4×5×6\nblock B { mul{ id | gamma: Weight([4, 1, 1], 1) } }\nstage: B → w: Conv1x1(2)")
    assert [(e.key, e.weight.shape) for e in graph.weights] == [
        ("stage.gamma", (4, 1, 1)),
        ("w.weight", (2, 4, 1, 1)),
        ("w.bias", (2,)),
    ]
    module = to_torch(graph)
    assert torch.equal(module.state_dict()["stage.gamma"], torch.ones(4, 1, 1))


def test_a_tensor_of_ones_own_begins_a_chain_or_a_branch() -> None:
    assert ids("input 4×5×6\nReLU → Weight([4, 1, 1])") == ["tensor-in-the-middle"]
    assert ids("input 4×5×6\nReLU → [Const([1]) → ReLU]") == ["tensor-in-the-middle"]
    named = network("input 4×5×6\nw = gamma: Weight([4, 1, 1])\nmul{ in | w } → add{ id | w }")
    assert [e.key for e in named.weights] == ["gamma"]


def test_it_does_not_ask_which_of_several_inputs_it_starts_from() -> None:
    graph = network("input a: 4×5\ninput b: 4×5\nw = gamma: Weight([4, 1])\nadd{ a | b | w }")
    assert graph.nodes[-1].type.shape == (4, 5)


def test_it_may_stand_where_several_tensors_arrive() -> None:
    graph = network(
        "input tokens 4×6\nSplit(3, axis=channels) as (q, k, v) → attend{ q | k | v | table: RelPos(1, 2) }"
    )
    assert graph.nodes[-1].type.shape == (4, 2)


def test_its_channels_are_last_where_those_that_arrive_are() -> None:
    graph = network("input tokens 6×8\nadd{ id | pos: Weight([6, 8], init=normal) }")
    assert graph.nodes[0].type.channel_axis == 1
    assert network("input 6×8\nadd{ id | pos: Weight([6, 8]) }").nodes[0].type.channel_axis == 0


def test_constants_are_saved_only_when_they_are_asked_to_be() -> None:
    text = "input 2×3×4\nadd{{ id | c: Const([[[0.5]], [[-1]]]{}) }} → conv: Conv1x1(2)".format
    assert [e.key for e in network(text("")).weights] == ["conv.weight", "conv.bias"]
    saved = network(text(", saved=true"))
    module = to_torch(saved).eval()
    assert list(module.state_dict()) == ["c", "conv.weight", "conv.bias"]
    assert [name for name, _ in module.named_parameters()] == ["conv.weight", "conv.bias"]
    assert torch.equal(module.state_dict()["c"], torch.tensor([[[0.5]], [[-1.0]]]))
    again = read_graph(saved.model_dump_json().encode(), "net.json")
    assert again.weights == saved.weights
    assert ids("input 2×3×4\nadd{ id | Const([[1, 2], [3]]) }") == ["wrong-type"]
    assert ids('input 2×3×4\nadd{ id | Const(["a"]) }') == ["wrong-type"]
    assert ids("input 2×3×4\nadd{ id | Const([]) }") == ["wrong-type"]


def offsets(height: int, width: int, swin: bool, stride: int = 1) -> torch.Tensor:
    """For each pair of positions its place in the table, as Swin's and LeViT's authors work it out."""
    grid = torch.stack(torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij"))
    asking = grid[:, ::stride, ::stride].flatten(1)
    apart = asking[:, :, None] - grid.flatten(1)[:, None, :]
    if not swin:
        return apart[0].abs() * width + apart[1].abs()
    return (apart[0] + height - 1) * (2 * width - 1) + apart[1] + width - 1


@pytest.mark.parametrize(("height", "width", "stride"), [(3, 4, 1), (1, 5, 1), (4, 5, 2), (7, 7, 1)])
@pytest.mark.parametrize("swin", [True, False])
def test_relative_positions_are_those_of_swin_and_of_levit(height: int, width: int, stride: int, swin: bool) -> None:
    index = "swin" if swin else "levit"
    graph = network(f"input 3×2×2\nt: RelPos(2, ({height}, {width}), index={index}, stride={stride})")
    module = to_torch(graph).eval()
    table = torch.randn(module.state_dict()["t"].shape)
    module.load_state_dict({"t": table})
    places = offsets(height, width, swin, stride)
    expected = (table.T if swin else table)[:, places.flatten()].reshape(2, *places.shape)
    found = module(torch.zeros(2, 3, 2, 2))
    assert torch.equal(found[0], expected)
    assert torch.equal(found[1], expected)


@pytest.mark.parametrize("saved", ["false", "true", "flat"])
@pytest.mark.parametrize("layout", ["swin", "levit"])
def test_a_table_that_arrives_is_picked_from_like_one_of_the_layers_own(layout: str, saved: str) -> None:
    places, rows = (35, "35, 2") if layout == "swin" else (12, "2, 12")
    options = f"(3, 4), index={layout}, stride=2"
    graph = network(f"input 3×2×2\nt: Weight([{rows}]) → idx: RelPosIndex({options}, saved={saved})")
    module = to_torch(graph).eval()
    table = torch.randn(module.state_dict()["t"].shape)
    module.load_state_dict({"t": table}, strict=False)
    own = to_torch(network(f"input 3×2×2\nt: RelPos(2, {options})")).eval()
    own.load_state_dict({"t": table})
    x = torch.zeros(2, 3, 2, 2)
    assert torch.equal(module(x), own(x))
    index = offsets(3, 4, layout == "swin", 2)
    kept = {"t": table} | ({} if saved == "false" else {"idx": index.flatten() if saved == "flat" else index})
    assert {key: (value.dtype, value.tolist()) for key, value in module.state_dict().items()} == {
        key: (value.dtype, value.tolist()) for key, value in kept.items()
    }
    assert int(index.max()) < places
    assert [name for name, _ in module.named_parameters()] == ["t"]


def test_a_table_of_other_positions_is_refused() -> None:
    with pytest.raises(CnnError) as caught:
        parse_text("input 3×2×2\nt: Weight([169, 3]) → RelPosIndex(8)")
    (told,) = caught.value.diagnostics
    assert (told.id, told.labels[0].text, told.help) == (
        "shape-mismatch",
        "expected 225×heads, found 169×3",
        "write `size=7`",
    )
    assert ids("input 3×2×2\nt: Weight([2, 3, 9]) → RelPosIndex(3, index=levit)") == ["shape-mismatch"]
    assert ids("input x: 9 of int64\nRelPosIndex(2)") == ["wrong-type"]


def test_attend_is_scaled_dot_product_attention() -> None:
    graph = network("input tokens 6×8\nattend(heads=2){ id | Slice(0, 4) | Slice(2, 6) | mask: Weight([1, 6, 4]) }")
    module = to_torch(graph).eval()
    module.load_state_dict({"mask": torch.randn(1, 6, 4)})
    x = torch.randn(3, 6, 8)
    q, k, v = (t.reshape(3, -1, 2, 4).transpose(1, 2) for t in (x, x[:, :4], x[:, 2:]))
    attention = torch.nn.functional.scaled_dot_product_attention
    expected = attention(q, k, v, attn_mask=module.state_dict()["mask"]).transpose(1, 2).reshape(3, 6, 8)
    torch.testing.assert_close(module(x), expected)
    assert graph.nodes[-1].op.macs(graph.input_types(graph.nodes[-1]), graph.nodes[-1].type) == 2 * 6 * 4 * 8


@pytest.mark.parametrize(
    ("text", "id"),
    [
        ("attend{ id | id }", "wrong-number-of-tensors"),
        ("attend{ id | id | Linear(6) → Slice(0, 3) }", "shape-mismatch"),
        ("attend{ id | Linear(6) | id }", "shape-mismatch"),
        ("attend(heads=3){ id | id | id }", "groups-mismatch"),
        ("attend{ id | id | id | Weight([2, 6, 6]) }", "shape-mismatch"),
        ("attend{ ToMap(2, 3) | id | id }", "wrong-rank"),
    ],
)
def test_what_attend_refuses(text: str, id: str) -> None:
    assert ids(f"input tokens 6×8\n{text}") == [id]


def test_a_product_with_a_trained_matrix_keeps_the_receptive_field() -> None:
    graph = network("input 4×9×8\nConv3x3(4) → matmul{ id | w: Weight([4, 8, 5]) }")
    field = receptive_fields(graph)[graph.outputs[0].node]
    assert field is not None
    assert [view.state for view in field.views] == ["exact", "global"]
    assert receptive_fields(graph)["w"] is None


def test_a_fold_needs_the_numbers_of_its_unfold() -> None:
    assert network("input 3×6×8\nUnfold3x3(2) → Fold3x3(2, like=in)").nodes[-1].type.shape == (3, 6, 8)
    assert ids("input 3×6×8\nUnfold3x3(2) → Fold3x3(like=in)") == ["out-of-range"]
    assert ids("input 3×6×8\nFold3x3") == ["shape-mismatch"]
    assert ids("input 3×6\nUnfold3x3") == ["wrong-rank"]
