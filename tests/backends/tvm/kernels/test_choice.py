"""Guards `backends/tvm/kernels/choice.py`. The rule that chooses an algorithm: its sums by hand, and what it says
for well-known layers.
"""

from __future__ import annotations

import pytest

from cnndsl.backends.tvm.kernels.choice import alternatives, choose, cost, gemm_tile
from cnndsl.backends.tvm.kernels.direct_conv import DirectConv
from cnndsl.backends.tvm.kernels.winograd import Winograd
from cnndsl.backends.tvm.target import C_SOURCE, Cpu
from cnndsl.ir.window import Window

CPU = Cpu("x86-64-v4", "x86_64-linux-gnu", lanes=16, registers=32)


def direct(
    channels: int, size: int, *, kernel: int = 3, stride: int = 1, dilation: int = 1, batch: int = 1
) -> DirectConv:
    pad = dilation * (kernel // 2)
    window = Window((kernel,) * 2, (stride,) * 2, (pad,) * 2, (pad,) * 2, (dilation,) * 2)
    chunks = channels // 16
    return DirectConv(batch, (size, size), chunks, 16, False, chunks, 16, chunks, chunks, window, (), (1, 7))


def chosen(conv: DirectConv) -> int:
    """m of the kernel taken, 0 for direct."""
    kernel = choose(conv, CPU, strict=False)
    return kernel.m if isinstance(kernel, Winograd) else 0


@pytest.mark.parametrize(
    ("channels", "size", "m"),
    [(64, 224, 4), (64, 56, 4), (128, 28, 4), (256, 14, 4), (512, 28, 4), (512, 7, 2), (16, 1, 0)],
)
def test_layers_of_well_known_networks(channels: int, size: int, m: int) -> None:
    assert chosen(direct(channels, size)) == m


@pytest.mark.parametrize("other", [{"kernel": 5}, {"stride": 2}, {"dilation": 2}, {"kernel": 1}])
def test_other_windows_are_direct(other: dict[str, int]) -> None:
    assert chosen(direct(256, 56, **other)) == 0


def test_strict_numerics_and_c_sources_are_direct() -> None:
    conv = direct(256, 56)
    assert choose(conv, CPU, strict=True) == conv
    assert alternatives(conv, C_SOURCE) == (conv,)


def test_costs_by_hand() -> None:
    conv = direct(64, 56)
    found = cost(conv)
    assert (found.work, found.traffic) == (56 * 56 * 4 * 64 * 9, 4 * 64 * 64 * 9 / 7)
    assert found.cycles == found.work + found.traffic / 2
    four = alternatives(conv, CPU)[2]
    tiles, rows = 14 * 14, 36 * 4 * 64
    assert cost(four).work == tiles * rows + 7 * 36 * tiles * 8 + 30_000
    assert cost(four).traffic == 4 * 16 * rows / 7


@pytest.mark.parametrize("registers", [16, 32])
def test_tiles_fit_the_registers(registers: int) -> None:
    for chunks in (1, 2, 3, 5, 32):
        for tiles in (1, 2, 7, 16, 49, 196):
            outs, columns = gemm_tile(chunks, tiles, registers)
            assert outs <= chunks
            assert 1 <= columns <= tiles
            assert outs * columns + outs + 1 <= registers
