"""Tuples of tensors: named where they arise, gathered over rounds, made by a `for`, taken and given by blocks."""

from __future__ import annotations

import pytest

from cnndsl.diagnostics.errors import CnnError
from cnndsl.ir.graph import Graph
from cnndsl.pipeline import parse_text


def network(text: str) -> Graph:
    return parse_text(text).graph


def ids(text: str) -> list[str]:
    with pytest.raises(CnnError) as caught:
        parse_text(text)
    return [diagnostic.id for diagnostic in caught.value.diagnostics]


def keys(graph: Graph) -> list[str]:
    return [entry.key for entry in graph.weights if entry.slot == "weight"]


def test_a_tuple_is_named_where_it_arises() -> None:
    graph = network("input 6×4×4  Split(2) as (kept, changed) → cat{ changed | kept → ReLU } ")
    assert [node.inputs for node in graph.nodes if node.op.word == "cat"] == [("slice_1", "1")]


def test_names_that_nobody_needs_are_underscores() -> None:
    graph = network("input 6×4×4\n(_, b, _) = in → Split(3)\n_ = b → ReLU\n[b → Conv1x1(4)] for _ in 1..1")
    assert graph.nodes[-1].type.shape == (4, 4, 4)
    assert ids("input 6×4×4\n(_, b) = in → Split(2)\n_ → ReLU") == ["unknown-name"]


def test_as_many_names_as_tensors() -> None:
    assert ids("input 6×4×4  Split(3) as (a, b) → ReLU") == ["wrong-number-of-tensors"]


def test_a_repeat_gathers_the_tensor_of_every_round() -> None:
    graph = network("input 3×8×8  [Conv3x3(4) as maps[] → ReLU]×3 → cat{ in | maps }")
    assert graph.nodes[-1].inputs == ("input", "0", "2", "4")


def test_a_round_sees_what_those_before_it_have_gathered() -> None:
    graph = network("input 3×8×8  [cat{ in | maps } → Conv3x3(4) as maps[]]×3")
    assert [node.type.channels for node in graph.nodes if node.op.word == "cat"] == [7, 11]


def test_the_body_that_holds_the_repeat_has_what_it_gathers() -> None:
    graph = network("input 3×8×8  [[Conv3x3(4) as maps[]]×2 → cat{ maps }]×2")
    assert [node.inputs for node in graph.nodes if node.op.word == "cat"] == [("0", "1"), ("2", "3")]
    assert ids("input 3×8×8  [[Conv3x3(4) as maps[]]×2]×2 → cat{ in | maps }") == ["tap-out-of-scope"]


def test_no_rounds_gather_nothing() -> None:
    graph = network("input 3×8×8  ReLU → [Conv3x3(4) as maps[]]×0 → cat{ id | maps }")
    assert [node.op.word for node in graph.nodes] == ["ReLU"]


def test_two_repeats_add_to_one_tuple() -> None:
    graph = network("input 3×8×8  [Conv3x3(4) as m[]]×2 → [Conv3x3(5) as m[]]×1 → cat{ m }")
    assert graph.nodes[-1].type.channels == 4 + 4 + 5


def test_gathering_needs_rounds() -> None:
    assert ids("input 3×8×8  Conv3x3(4) as maps[] → cat{ in | maps }") == ["gathered-outside-repeat"]


def test_what_is_gathered_has_a_length_parts_and_rounds() -> None:
    text = "input 3×8×8  [Conv3x3(4) as m[]]×3 → cat{ m[1..] | m[0] } → add{ t → Conv1x1(len(m)) for t in m }"
    graph = network(text)
    assert [node.inputs for node in graph.nodes if node.op.word == "cat"] == [("1", "2", "0")]
    assert graph.nodes[-1].type.channels == 3


def test_a_tuple_by_comprehension() -> None:
    graph = network(
        "input 3×8×8\na = Conv3x3(4)\nb = a → MaxPool\n"
        "laterals = (x → inner.{i}: Conv1x1(8) for i, x in enumerate([a, b]))\n"
        "output laterals"
    )
    assert keys(graph) == ["0.weight", "inner.0.weight", "inner.1.weight"]
    assert [graph.types[output.node].shape for output in graph.outputs] == [(8, 8, 8), (8, 4, 4)]


def test_round_brackets_hold_no_chain_without_a_for() -> None:
    assert ids("input 3×8×8\na = (Conv3x3(4) → ReLU)") == ["syntax"]


def test_a_pyramid_is_a_loop() -> None:
    graph = network("""
    input 3×32×32
    block Pyramid(c) takes levels[] {
      let n = len(levels)
      laterals = (l → inner.{i}: Conv1x1(c) for i, l in enumerate(levels))
      laterals[n - 1] as top → [add{ laterals[n - 1 - k] | Upsample(like=laterals[n - 1 - k]) } as sums[]] for k in 1..n - 1
      output sums, top
    }
    body = [Conv3x3(8, stride=2) as maps[]]×3
    (a, b, top) = maps → fpn: Pyramid(16)
    output a, b, top
    """)
    assert [graph.types[output.node].shape for output in graph.outputs] == [(16, 8, 8), (16, 16, 16), (16, 4, 4)]
    assert [key for key in keys(graph) if "fpn" in key] == [f"fpn.inner.{i}.weight" for i in range(3)]


def test_the_last_name_after_takes_may_take_the_rest() -> None:
    text = "input 6×4×4  block Join takes first, rest[] {{ cat{{ rest | first }} }}  Split({n}) as parts → ReLU".format
    assert ids(text(n=3)) == ["wrong-number-of-tensors"]
    graph = network(
        "input 6×4×4  block Join takes first, rest[] { cat{ rest | first } }\nparts = in → Split(3)\nparts → Join"
    )
    assert graph.nodes[-1].inputs == ("slice_1", "slice_2", "slice")


def test_a_number_is_a_branch() -> None:
    graph = network(
        "input 3×4×4\nlet s = 1 / sqrt(4)\nmul{ id | 0.17 } → add{ id | -3 } → mul{ id | s } → sub{ 1 | id }"
    )
    assert [node.op.text() for node in graph.nodes] == [
        "mul{ … | 0.17 }",
        "add{ … | -3 }",
        "mul{ … | 0.5 }",
        "sub{ 1 | … }",
    ]
    assert ids("input 3×4×4  add{ 1 | 2 }") == ["wrong-number-of-tensors"]
    assert ids("input 3×4×4  cat{ id | 2 }") == ["wrong-type"]
    assert ids("input 3×4×4  div{ id | 0 }") == ["division-by-zero"]
    assert ids("input 3×4×4  mul(numbers=[1]){ id | id }") == ["unknown-argument"]


def test_else_none_leaves_a_whole_branch_out() -> None:
    assert ids("input 8×4×4\ncat{ id | ReLU → Slice(0, 4) if 1 > 2 else none }") == ["misleading-none"]
    assert ids("input 8×4×4\ncat{ id | ReLU → Slice(0, 4) if 1 < 2 else none }") == ["misleading-none"]
    assert (
        network("input 8×4×4\nReLU → cat{ id | [ReLU → Slice(0, 4)] if 1 > 2 else none }").nodes[-1].type.channels == 8
    )


@pytest.mark.parametrize("first", ["true", "false"])
def test_a_branch_that_is_left_out_does_not_ask_where_it_starts(first: str) -> None:
    text = "input 3×8×8\nblock B(first) takes d, skip {{ cat{{ d | skip if not first else none | d }} }}\n"
    text += "a = ReLU\nb = a → Conv3x3(4)\n(a, b) → B({first})"
    graph = network(text.format(first=first))
    assert graph.nodes[-1].type.channels == (6 if first == "true" else 10)


def test_in_is_still_ambiguous_where_it_is_meant() -> None:
    text = "input 3×8×8\nblock B takes d, skip { cat{ d | Conv3x3(4) } }\na = ReLU\nb = a → ReLU\n(a, b) → B"
    assert ids(text) == ["ambiguous-in"]


def test_a_tuple_within_a_tuple_stands_for_its_tensors_also_where_it_has_none() -> None:
    block = "block Join takes x, others[] { (x, others, x) → All }\nblock All takes all[] { cat{ all } }\n"
    text = "input 3×4×4\n" + block + "a = Conv1x1(1)\nb = Conv1x1(4)\n"
    ends = [
        network(text + chain).nodes[-1].type.channels for chain in ("(a, b) → Join", "(a, b, b) → Join", "a → Join")
    ]
    assert ends == [1 + 4 + 1, 1 + 4 + 4 + 1, 1 + 1]
    assert ids(text + "let n = 3\n(a, n) → Join") == ["wrong-type"]
