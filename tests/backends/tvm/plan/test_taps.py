"""Guards `backends/tvm/plan/taps.py`. The positions of an input that each position of a result sums, for layers
over a row of four.
"""

from __future__ import annotations

import pytest

from cnndsl.arrays.drawn import drawn_weights
from cnndsl.backends.tvm.plan.taps import NOTHING, Taps, find_taps
from cnndsl.backends.tvm.program.passes import program_of
from cnndsl.pipeline import parse_text

pytestmark = pytest.mark.tvm


def taps_of(text: str) -> tuple[Taps | None, ...] | None:
    graph = parse_text(text).graph
    (step,) = program_of(graph, drawn_weights(graph, 0)).steps
    return find_taps(step)


def shown(taps: Taps) -> str:
    """The sum that each position of the result is, `-` for a tap that adds nothing."""
    return "  ".join(
        "+".join(
            "-" if position == NOTHING else f"{position}" if factor == 1 else f"{factor:.3g}·{position}"
            for position, factor in zip(positions, factors, strict=True)
        )
        for positions, factors in zip(taps.positions.T.tolist(), taps.factors.T.tolist(), strict=True)
    )


@pytest.mark.parametrize(
    ("layer", "sums"),
    [
        ("Crop(size=2)", "1  2"),
        ("Slice(1, 3, axis=1)", "1  2"),
        ("Pad(2)", "-  -  0  1  2  3  -  -"),
        ("Pad(2, reflect)", "2  1  0  1  2  3  2  1"),
        ("Pad(2, replicate)", "0  0  0  1  2  3  3  3"),
        ("Pad(2, circular)", "2  3  0  1  2  3  0  1"),
        ("Upsample", "0  0  1  1  2  2  3  3"),
        ("Upsample(2, linear)", "0+0·1  0.75·0+0.25·1  0.25·0+0.75·1  0.75·1+0.25·2  0.25·1+0.75·2  0.75·2+0.25·3  "
         "0.25·2+0.75·3  0.75·3+0.25·3"),
        ("AvgPool2(2)", "0.5·0+0.5·1  0.5·2+0.5·3"),
        ("AvgPool3(1, 1, count_pad=false)", "-+0.5·0+0.5·1  0.333·0+0.333·1+0.333·2  0.333·1+0.333·2+0.333·3  "
         "0.5·2+0.5·3+-"),
        ("AdaptiveAvgPool(3)", "0.5·0+0.5·1  0.5·1+0.5·2  0.5·2+0.5·3"),
    ],
)  # fmt: skip
def test_what_each_position_sums(layer: str, sums: str) -> None:
    axes = taps_of(f"input 2×4\n{layer}")
    assert axes is not None
    (row,) = axes
    assert row is not None
    assert shown(row) == sums


def test_an_axis_that_stays_as_it_is_has_no_taps() -> None:
    axes = taps_of("input 2×3×4\nSlice(1, 3, axis=1)")
    assert axes is not None
    rows, columns = axes
    assert rows is not None
    assert (shown(rows), columns) == ("1  2", None)


@pytest.mark.parametrize("layer", ["Conv3(4)", "MaxPool2", "ReLU", "Slice(0, 1)"])
def test_layers_of_other_kinds_have_none(layer: str) -> None:
    assert taps_of(f"input 2×4\n{layer}") is None
