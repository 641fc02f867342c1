"""Which algorithm computes a convolution: the cheapest by an estimate that can be checked by hand.

The unit is a cycle of one core that multiplies and adds one vector in it. A kernel computes for `work` cycles while its
weights, which on a real network come cold, arrive in `bytes / 7` cycles. Prefetching hides about half of the shorter:

    cost = max(work, traffic) + min(work, traffic) / 2

Direct convolution has one multiply-add for each vector of products. Winograd's has `(m + 2)²` for each tile, chunk
out and channel in, and about 7 cycles for each frequency of a tile and chunk on the way in, and again on the way out;
each of its three steps starts all threads, at 10 000 cycles. The figures were fitted to a Zen 4, and to no other
processor yet: where they decide badly, tuning decides (`candidates`).
"""

from __future__ import annotations

from dataclasses import dataclass
from math import prod

from cnndsl.backends.tvm.kernels.direct_conv import DirectConv
from cnndsl.backends.tvm.kernels.winograd import Winograd
from cnndsl.backends.tvm.kernels.winograd_deep import DeepWinograd
from cnndsl.backends.tvm.target import Cpu
from cnndsl.ir.window import Window

_BYTES_PER_CYCLE = 7
_TRANSFORM = 7
_START = 10_000
_STRIP = 256


@dataclass(frozen=True)
class Cost:
    """Cycles of one core that computes, and in which weights come."""

    work: float
    traffic: float

    @property
    def cycles(self) -> float:
        return max(self.work, self.traffic) + min(self.work, self.traffic) / 2


def choose(direct: DirectConv, cpu: Cpu, *, strict: bool) -> DirectConv | Winograd:
    """The cheapest kernel for the convolution that `direct` computes; with `strict` one that sums plain products."""
    return direct if strict else min(alternatives(direct, cpu), key=lambda kernel: cost(kernel).cycles)


def alternatives(direct: DirectConv, cpu: Cpu) -> tuple[DirectConv | Winograd, ...]:
    """Every kernel for this convolution, the direct one first. C sources have no other: their compilers are asked for
    less."""
    w = direct.window
    deep = len(w.kernel) == 3
    square = w.kernel[-2:] == (3, 3) and {*w.stride, *w.dilation} == {1} and len(w.kernel) > 1
    if not square or direct.plain or direct.chunks_seen != direct.chunks or cpu.kind != "llvm":
        return (direct,)
    make = _deep_winograd if deep else _winograd
    return (direct, make(direct, cpu, 2), make(direct, cpu, 4))


def cost(kernel: DirectConv | Winograd) -> Cost:
    """By the rule above."""
    if isinstance(kernel, DirectConv):
        outputs = kernel.batch * prod(kernel.window.output_size(kernel.size))
        rows = kernel.chunks_out * kernel.chunks_seen * kernel.block * prod(kernel.window.kernel)
        return Cost(outputs * rows, 4 * kernel.lanes * rows / _BYTES_PER_CYCLE)
    tiles, rows = prod(kernel.grid), kernel.frequencies * kernel.chunks_out * kernel.chunks * kernel.lanes
    strips = -(-tiles // kernel.strip)
    transforms = _TRANSFORM * kernel.frequencies * tiles * (kernel.chunks + kernel.chunks_out)
    return Cost(tiles * rows + transforms + 3 * strips * _START, 4 * kernel.lanes * rows / _BYTES_PER_CYCLE)


def _winograd(direct: DirectConv, cpu: Cpu, m: int) -> Winograd:
    (h, w), (oh, ow) = direct.size, direct.window.output_size(direct.size)
    strip = _strip(direct.batch * -(-oh // m) * -(-ow // m))
    tile = gemm_tile(direct.chunks_out, strip, cpu.registers)
    window = direct.window
    return Winograd(
        direct.batch, (h, w), direct.chunks, direct.chunks_out, direct.lanes, window, direct.tail, m, tile, strip
    )


def _deep_winograd(direct: DirectConv, cpu: Cpu, m: int) -> DeepWinograd:
    w, (layers, height, width) = direct.window, direct.size
    deep, rows, columns = w.output_size(direct.size)
    strip = _strip(direct.batch * deep * -(-rows // m) * -(-columns // m))
    flat = Window(w.kernel[1:], w.stride[1:], w.before[1:], w.after[1:], w.dilation[1:])
    return DeepWinograd(
        batch=direct.batch * deep,
        size=(height, width),
        chunks=direct.chunks * w.kernel[0],
        chunks_out=direct.chunks_out,
        lanes=direct.lanes,
        window=flat,
        tail=direct.tail,
        m=m,
        tile=gemm_tile(direct.chunks_out, strip, cpu.registers),
        strip=strip,
        layers=layers,
        deep=w.kernel[0],
        before=w.before[0],
        out_layers=deep,
    )


def _strip(tiles: int) -> int:
    """Tiles of a strip: all up to 256, else an even share, one that vectors of 7 or 8 tiles divide where there is
    one."""
    fewest = -(-tiles // _STRIP)
    exact = (
        tiles // n for n in range(fewest, 2 * fewest) if tiles % n == 0 and not (tiles // n % 7 and tiles // n % 8)
    )
    return tiles if fewest == 1 else next(exact, -(-tiles // fewest))


def gemm_tile(chunks_out: int, tiles: int, registers: int) -> tuple[int, int]:
    """Chunks out × tiles of accumulators: two or three chunks share each number read, seven or eight tiles each
    vector of weights, as far as the registers go, which also hold the weights and a number."""
    chunks = 2 if chunks_out % 2 == 0 else 3 if chunks_out % 3 == 0 else min(2, chunks_out)
    most = (registers - chunks - 1) // chunks
    fitting = [n for n in (8, 7, 10, 9, 12, 6, 5) if n <= min(most, tiles)]
    return chunks, next((n for n in fitting if tiles % n == 0), min([8, most, tiles]))
