"""Guards `backends/tvm/program/fold.py`. Which batch norms and trained factors go into the layer before, and the
numbers that they leave there.
"""

from __future__ import annotations

import numpy as np
import pytest

from cnndsl.arrays.drawn import drawn_weights
from cnndsl.backends.tvm.program.fold import scale_and_shift, with_factors_folded
from cnndsl.backends.tvm.program.passes import as_written
from cnndsl.pipeline import parse_text
from tests.backends.tvm.program.shown import shown

pytestmark = pytest.mark.tvm

FOLDED = [
    (
        "input 3×8×8\nconv: Conv3x3(16, bias=false) → BN → act: ReLU",
        """
conv = Conv3x3(16) of input
act = ReLU of conv
output act = act""",
    ),
    (
        "input 3×8×8\nconv: Conv3x3(16) → bn: BN → again: BN",
        """
conv = Conv3x3(16) of input
output again = conv""",
    ),
    (
        "input 5\nfc: FC(4, bias=false) → bn: BN",
        """
fc = FC(4) of input
output bn = fc""",
    ),
    (
        "input 6×4×4\nconv: Conv3x3(6) → scale: LayerScale(0.5) → bn: FrozenBN",
        """
conv = Conv3x3(6) of input
output bn = conv""",
    ),
]


@pytest.mark.parametrize(("text", "program"), FOLDED)
def test_factors_behind_a_layer_with_weights_go_into_them(text: str, program: str) -> None:
    assert shown(text, with_factors_folded) == program


LEFT = [
    (
        "input 3×8×8\nconv: Conv3x3(16) → act: ReLU → bn: BN",
        """
conv = Conv3x3(16) of input
act = ReLU of conv
bn = BN of act
output bn = bn""",
    ),
    (
        "input 3×8×8\nbn: BN → conv: Conv3x3(16)",
        """
bn = BN of input
conv = Conv3x3(16) of bn
output conv = conv""",
    ),
    (
        "input 3×8×8\nconv: Conv3x3(16) as c → bn: BN as y\noutput c, y",
        """
conv = Conv3x3(16) of input
bn = BN of conv
output c = conv
output y = bn""",
    ),
    (
        "input 3×8×8\nconv: Conv3x3(16) → add{ bn: BN | id }",
        """
conv = Conv3x3(16) of input
bn = BN of conv
add = add of bn, conv
output add = add""",
    ),
]


@pytest.mark.parametrize(("text", "program"), LEFT)
def test_a_layer_that_is_read_elsewhere_or_not_linear_keeps_its_norm_apart(text: str, program: str) -> None:
    assert shown(text, with_factors_folded) == program


def test_folded_weights_are_the_products_rounded_once() -> None:
    graph = parse_text("input 3×8×8\nconv: Conv3x3(4) → bn: BN").graph
    program = as_written(graph, drawn_weights(graph, 0))
    conv, norm = program.steps
    scale, shift = scale_and_shift(norm)
    (folded,) = with_factors_folded(program).steps
    weight, bias = (conv.weights[slot].numpy().astype(np.float64) for slot in ("weight", "bias"))
    assert np.array_equal(folded.weights["weight"].numpy(), (weight * scale.reshape(4, 1, 1, 1)).astype(np.float32))
    assert np.array_equal(folded.weights["bias"].numpy(), (bias * scale + shift).astype(np.float32))
    assert conv.weights["weight"].dtype == "float32"
    assert not np.array_equal(folded.weights["weight"].numpy(), conv.weights["weight"].numpy())
