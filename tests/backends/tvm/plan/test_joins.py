"""Guards `backends/tvm/plan/joins.py`. Which results are computed in their place in a concatenation."""

from __future__ import annotations

import pytest

from cnndsl.arrays.drawn import drawn_weights
from cnndsl.backends.tvm.plan.groups import plan
from cnndsl.backends.tvm.plan.joins import Joins, Slot, find_joins, grain
from cnndsl.backends.tvm.program.passes import program_of
from cnndsl.ir.tensor import TensorType
from cnndsl.pipeline import parse_text

pytestmark = pytest.mark.tvm


def joins_of(text: str) -> Joins:
    graph = parse_text(text).graph
    return find_joins(plan(program_of(graph, drawn_weights(graph, 0))), 16)


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        # The maps of a dense block grow in one buffer.
        (
            "input 3×8×8\nx: Conv3x3(32) → a: cat{ id | y: Conv1x1(16) } → b: cat{ id | z: Conv1x1(16) }",
            ["a.cat in b.cat from chunk 0", "b.z in b.cat from chunk 3", "x in b.cat from chunk 0",
             "a.y in b.cat from chunk 2"],
        ),
        # A result has one place; its second part is copied.
        ("input 3×8×8\nx: Conv3x3(32) → cat{ id | id }", ["x in cat from chunk 0"]),
        # Only what is computed can be computed in place.
        ("input 3×8×8\nx: Conv3x3(32) → cat{ y: Conv1x1(16) | in }", ["y in cat from chunk 0"]),
        # Parts are whole chunks of 16 channels.
        ("input 3×9×8\nx: Conv3x3(20) → cat{ id | y: Conv1x1(20) }", []),
    ],
)  # fmt: skip
def test_places_in_concatenations(text: str, lines: list[str]) -> None:
    assert joins_of(text).describe() == lines


def test_the_maps_of_a_dense_block_grow_in_one_buffer() -> None:
    text = "input 3×8×8\nx0: Conv3x3(32) → a: cat{ id | x1: Conv1x1(16) } → b: cat{ id | x2: Conv1x1(16) }"
    joins = joins_of(text)
    assert {name: joins.place(name) for name in joins.slots} == {
        "a.cat": Slot("b.cat", 0),
        "x0": Slot("b.cat", 0),
        "a.x1": Slot("b.cat", 2),
        "b.x2": Slot("b.cat", 3),
    }
    assert "a.x1 in b.cat from chunk 2" in joins.describe()


@pytest.mark.parametrize(("size", "expected"), [((17, 19), 16), ((16, 16), 4), ((9, 4), 4), ((3, 2, 5), 8)])
def test_parts_begin_at_whole_cache_lines(size: tuple[int, ...], expected: int) -> None:
    assert grain(TensorType(shape=(48, *size)), 4) == expected
    assert grain(TensorType(shape=(48, *size)), 16) == 16
