"""Guards `sweeping/choices.py` and `sweeping/variants.py`: what `-P` and `--input` say in a sweep, and the grid of all combinations."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cnndsl.diagnostics.errors import CnnError
from cnndsl.sweeping.choices import sizes_of, values_of
from cnndsl.sweeping.variants import Grid


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("16", ["16"]),
        ("1,2,3", ["1", "2", "3"]),
        ("16..64:8", ["16", "24", "32", "40", "48", "56", "64"]),
        ("1..3", ["1", "2", "3"]),
        ("1..10:4", ["1", "5", "9"]),
        ("-2..2:2", ["-2", "0", "2"]),
        ("0.1..0.3:0.1", ["0.1", "0.2", "0.3"]),
        ("8,16..32:16,8", ["8", "16", "32"]),
        ("1_000..3_000:1_000", ["1000", "2000", "3000"]),
        ("ReLU,SiLU", ["ReLU", "SiLU"]),
        ("[1, 2],[3, 4]", ["[1, 2]", "[3, 4]"]),
        ("LeakyReLU(slope=0.1), ReLU", ["LeakyReLU(slope=0.1)", "ReLU"]),
        ('"a,b",c', ['"a,b"', "c"]),
        ("true,false", ["true", "false"]),
    ],
)
def test_a_parameter_is_given_lists_and_ranges(text: str, values: list[str]) -> None:
    assert values_of("p", text) == values


@given(st.integers(-50, 50), st.integers(0, 200), st.integers(1, 30))
def test_a_range_has_the_numbers_of_python_s_with_both_ends(first: int, length: int, step: int) -> None:
    assert values_of("p", f"{first}..{first + length}:{step}") == list(map(str, range(first, first + length + 1, step)))


@pytest.mark.parametrize(("text", "found"), [("64..16", "64..16"), ("1..4:0", "1..4:0"), ("1..2e9", "1..2e9")])
def test_a_range_without_numbers_or_with_too_many_is_refused(text: str, found: str) -> None:
    with pytest.raises(CnnError) as caught:
        values_of("width", text)
    (told,) = caught.value.diagnostics
    assert told.id == "bad-range"
    assert told.span is not None
    assert told.span.text == found


def test_equal_ranges_of_a_size_go_together_and_others_do_not() -> None:
    assert sizes_of("", "3x32..64:16x32..64:16") == ["3x32x32", "3x48x48", "3x64x64"]
    assert sizes_of("", "3x32..64:32x16..32:16") == ["3x32x16", "3x32x32", "3x64x16", "3x64x32"]
    assert sizes_of("clip", "3×16×112×112,3x8x112x112") == ["3x16x112x112", "3x8x112x112"]


@given(st.lists(st.integers(1, 4), min_size=0, max_size=4), st.integers(1, 3))
def test_a_grid_holds_every_combination_once_the_last_changing_fastest(lengths: list[int], models: int) -> None:
    grid = Grid(
        tuple(f"m{n}" for n in range(models)),
        {f"p{index}": list(range(length)) for index, length in enumerate(lengths)},
        {"": ["3x8x8", "3x9x9"]},
    )
    keys = [variant.key for variant in grid]
    assert len(set(keys)) == len(keys) == len(grid)
    assert [grid[index].key for index in range(len(grid))] == keys
    assert [variant.inputs[""] for variant in grid][:2] == ["3x8x8", "3x9x9"]
    assert [variant.model for variant in grid] == sorted(str(variant.model) for variant in grid)


def test_more_variants_than_hours_have_room_for_are_refused() -> None:
    with pytest.raises(CnnError) as caught:
        Grid((None,), {"a": range(1001), "b": range(1000)}, {})
    assert caught.value.diagnostics[0].id == "too-many-variants"
