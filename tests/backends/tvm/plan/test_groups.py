"""Guards `backends/tvm/plan/groups.py`. Which steps run as one kernel, for small networks."""

from __future__ import annotations

import pytest

from cnndsl.arrays.drawn import drawn_weights
from cnndsl.backends.tvm.plan.groups import plan
from cnndsl.backends.tvm.program.passes import program_of
from cnndsl.pipeline import parse_text

pytestmark = pytest.mark.tvm

CASES = [
    # Batch norm is in the weights by now; an activation goes to the layer before it, a pool is a layer.
    (
        "input 3×8×8\nconv: Conv3x3(16) → BN → act: ReLU → pool: MaxPool → tanh: Tanh",
        """
act: 16×8×8 = Conv → ReLU of input
tanh: 16×4×4 = MaxPool → Tanh of act""",
    ),
    ("input 5\nfc: FC(4) → act: ReLU", "\nact: 4 = FC → ReLU of input"),
    # Of two convolutions that meet in a sum the later one adds.
    (
        "input 16×8×8\nadd{ a: Conv3x3(16) | b: Conv3x3(16) } → act: ReLU",
        """
a: 16×8×8 = Conv of input
act: 16×8×8 = Conv → add → ReLU of input, a""",
    ),
    # A sum of a tensor with itself, and a product with something of another shape, are kernels of their own.
    (
        "input 16×8×8\nconv: Conv3x3(16) → add{ id | id }",
        """
conv: 16×8×8 = Conv of input
add: 16×8×8 = add of conv, conv""",
    ),
    (
        "input 16×8×8\nconv: Conv3x3(16) → mul{ id | mean: GlobalAvgPool → gate: Sigmoid }",
        """
conv: 16×8×8 = Conv of input
mean: 16×1×1 = GlobalAvgPool of conv
gate: 16×1×1 = Sigmoid of mean
mul: 16×8×8 = mul of conv, gate""",
    ),
    # What is read elsewhere, here by leaving the network, has to be there whole.
    (
        "input 16×8×8\nconv: Conv3x3(16) as c → act: ReLU as y\noutput c, y",
        """
conv: 16×8×8 = Conv of input
act: 16×8×8 = ReLU of conv""",
    ),
    # Steps that only move channels are one route.
    (
        "input 8×4×4\ncat{ a: Conv3x3(8) | b: Conv3x3(8) } → ChannelShuffle(2) → cut: Slice(0, 8) → conv: Conv1x1(4)",
        """
a: 8×4×4 = Conv of input
b: 8×4×4 = Conv of input
cut: 8×4×4 = cat → ChannelShuffle → Slice of a, b
conv: 4×4×4 = Conv of cut""",
    ),
]


@pytest.mark.parametrize(("text", "groups"), CASES)
def test_groups_of_small_networks(text: str, groups: str) -> None:
    graph = parse_text(text).graph
    planned = plan(program_of(graph, drawn_weights(graph, 0)))
    assert "".join(f"\n{group.describe()}" for group in planned) == groups
