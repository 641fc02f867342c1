"""Guards `backends/tvm/program/channels_first.py`. Tokens and maps with their channels last become maps with their
channels first.
"""

from __future__ import annotations

import pytest

from cnndsl.backends.tvm.program.channels_first import channels_first
from tests.backends.tvm.program.shown import shown

pytestmark = pytest.mark.tvm

WITHOUT_EXCHANGES = [
    # `Linear` over tokens is a convolution, and neither `ToTokens` nor `ToMap` moves a number.
    (
        "input 6×4×3\ntokens: ToTokens → fc: Linear(16) → map: ToMap(2, 6) → conv: Conv3x3(4)",
        """
tokens = Reshape((6, 12)) of input
fc = Conv1(16) of tokens
map = Reshape((16, 2, 6)) of fc
conv = Conv3x3(4) of map
output conv = conv""",
    ),
    # The exchanges of a ConvNeXt block are gone.
    (
        "input 6×5×7\nPermute(1, 2, 0) → norm: LN → up: Linear(24) → act: GELU → down: Linear(6) → y: Permute(2, 0, 1)",
        """
norm = LN of input
up = Conv1(24) of norm
act = GELU of up
down = Conv1(6) of act
output y = down""",
    ),
    # Attention is a projection, what is between, and a projection; its two heads are each filled up to 16 channels.
    (
        "input 20×4×3\ntokens: ToTokens → heads: Attention(2) → mean: GlobalAvgPool",
        """
tokens = Reshape((20, 12)) of input
heads:0 = Conv1(96) of tokens
heads:1 = Attend(2) of heads:0
heads = Conv1(20) of heads:1
mean:0 = GlobalAvgPool of heads
mean = Flatten of mean:0
output mean = mean""",
    ),
]


@pytest.mark.parametrize(("text", "program"), WITHOUT_EXCHANGES)
def test_layers_that_find_their_channels_need_no_exchange_of_axes(text: str, program: str) -> None:
    assert shown(text, channels_first) == program


WITH_EXCHANGES = [
    # An output is given in the order it was written in.
    (
        "input 6×5×7\nPermute(1, 2, 0) → scale: LayerScale(0.5) → pos: PosEmbed",
        """
scale = LayerScale(0.5) of input
pos = PosEmbed of scale
pos:written = Permute((1, 2, 0)) of pos
output pos = pos:written""",
    ),
    # A layer that looks at tokens one by one has them as they were written.
    (
        "input 6×4×3\ntokens: ToTokens → class: ClassToken → fc: Linear(5) → mean: GlobalAvgPool",
        """
tokens = Reshape((6, 12)) of input
tokens:written = Permute((1, 0)) of tokens
class = ClassToken of tokens:written
class:channels_first = Permute((1, 0)) of class
fc = Conv1(5) of class:channels_first
mean:0 = GlobalAvgPool of fc
mean = Flatten of mean:0
output mean = mean""",
    ),
    # Rows and columns are exchanged, as they were asked to be.
    (
        "input 6×5×7\nswap: Permute(0, 2, 1) → conv: Conv3x1(4)",
        """
swap = Permute((0, 2, 1)) of input
conv = Conv3x1(4) of swap
output conv = conv""",
    ),
]


@pytest.mark.parametrize(("text", "program"), WITH_EXCHANGES)
def test_where_order_matters_axes_are_exchanged(text: str, program: str) -> None:
    assert shown(text, channels_first) == program


def test_a_network_with_its_channels_first_stays_as_it_is() -> None:
    text = "input 6×5×7\nconv: Conv3x3(4) → act: ReLU → add{ id | Conv1x1(4) } → Flatten → FC(3)"
    assert shown(text, channels_first) == shown(text)
