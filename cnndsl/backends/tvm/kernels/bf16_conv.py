"""Convolution with bfloat16 factors and float32 sums.

First, where it is needed, the input becomes pairs of channels with zeros around. Then one task is a row of outputs in
`tile[0]` chunks of channels: a tile of `tile[0]` chunks × up to `tile[1]` columns stays in registers over the
reduction.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from math import prod
from typing import Any, Literal, Self

from cnndsl.backends.tvm.kernels.words.demand import Demand, passes, share, tile_cycles
from cnndsl.backends.tvm.kernels.words.functions import finish
from cnndsl.backends.tvm.kernels.words.nest import parts, places
from cnndsl.backends.tvm.kernels.words.pairs import LANES, PAIRS, PairNest
from cnndsl.backends.tvm.plan.groups import Tail
from cnndsl.ir.window import Window

_ACCUMULATORS = 24
_LATENCY = 12


@dataclass(frozen=True)
class _Buffers:
    """What a convolution reads and writes; `data` is its input as pairs, with zeros around."""

    data: Any
    weight: Any
    bias: Any
    residuals: list[Any]
    result: Any


@dataclass(frozen=True)
class _Tile:
    """Results that are summed in registers: neighbours in one row, in a few chunks of channels."""

    sums: list[Any]
    """For each chunk a local buffer `(columns, 16)`."""
    image: Any
    """Which example of the batch."""
    outs: list[Any]
    """The chunks of channels."""
    rows: list[Any]
    """The place on every axis but the last."""
    x: Any
    """The first column."""

    @property
    def columns(self) -> int:
        return int(self.sums[0].shape[0])


@dataclass(frozen=True)
class Bf16Conv:
    """Arguments: input, weight, bias, residuals of the tail, output.

    Input by `source`: pairs `(batch, chunks, *size, 8)`, packed float32 `(batch, chunks, *size, 16)` or plain float32
    `(batch, channels, *size)`. Weight: pairs `(chunks_out, chunks, *kernel, pairs, 16)`; of a plain input all
    channels are one chunk. Bias `(chunks_out, 16)`; residuals and output `(batch, chunks_out, *out, 16)`, or pairs
    with 8 where `residual_pairs` and `gives_pairs` say so.
    """

    source: Literal["pairs", "packed", "plain"]
    batch: int
    channels: int
    size: tuple[int, ...]
    chunks_out: int
    window: Window
    tail: Tail
    residual_pairs: tuple[bool, ...]
    gives_pairs: bool
    tile: tuple[int, int]

    def candidates(self) -> tuple[Self, ...]:
        """The same with other tiles."""
        return (self, *(replace(self, tile=t) for t in ranked(self.chunks_out, self.out[-1])[:12] if t != self.tile))

    @property
    def out(self) -> tuple[int, ...]:
        return self.window.output_size(self.size)

    @property
    def chunks(self) -> int:
        return 1 if self.source == "plain" else -(-self.channels // LANES)

    @property
    def pairs(self) -> int:
        """Pairs of channels in a chunk."""
        return -(-self.channels // 2) if self.source == "plain" else PAIRS

    def demand(self, threads: int) -> Demand:
        """What a call takes: two products of numbers a place."""
        (chunks, columns), (*rows, width) = self.tile, self.out
        depth = self.chunks * self.pairs * prod(self.window.kernel)
        tasks = self.batch * self.chunks_out // chunks * prod(rows)
        steps = sum(count * tile_cycles(chunks, size) for _, count, size in parts(width, columns))
        short, long = passes(self.tail)
        vectors = self.batch * self.chunks_out * prod(self.out) / threads
        copied = 4 * self.batch * self.chunks * PAIRS * prod(self.size) if self._prepares else 0
        return Demand(
            "Bf16Conv",
            work=tasks * share(tasks, threads) * steps * depth,
            second=vectors,
            tail=vectors * (1 + short),
            heavy=vectors * long,
            scratch=copied,
            regions=1 + self._prepares,
        )

    def prim_func(self) -> Any:
        """The function."""
        n = PairNest()
        w, result = self.window, (self.batch, self.chunks_out, *self.out)
        with n.function():
            data = self._data(n)
            weight = n.pairs("weight", (self.chunks_out, self.chunks, *w.kernel, self.pairs, LANES))
            bias = n.argument("bias", (self.chunks_out, LANES))
            residuals = [
                n.pairs(f"residual{i}", (*result, PAIRS)) if pairs else n.argument(f"residual{i}", (*result, LANES))
                for i, pairs in enumerate(self.residual_pairs)
            ]
            made = n.pairs("result", (*result, PAIRS)) if self.gives_pairs else n.argument("result", (*result, LANES))
            with n.block(), n.instructions():
                ready = self._prepared(n, data) if self._prepares else data
                self._convolve(n, _Buffers(ready, weight, bias, residuals, made))
        return n.finished()

    def _data(self, n: PairNest) -> Any:
        if self.source == "plain":
            return n.argument("data", (self.batch, self.channels, *self.size))
        if self.source == "packed":
            return n.argument("data", (self.batch, self.chunks, *self.size, LANES))
        return n.pairs("data", (self.batch, self.chunks, *self.size, PAIRS))

    @property
    def _after(self) -> tuple[int, ...]:
        """Zeros behind each axis that a window reads: TVM cannot compile rows that are written for nobody."""
        w = self.window
        reach = (
            (n - 1) * s + (k - 1) * d + 1 for n, s, k, d in zip(self.out, w.stride, w.kernel, w.dilation, strict=True)
        )
        return tuple(
            min(a, max(0, end - b - size)) for a, end, b, size in zip(w.after, reach, w.before, self.size, strict=True)
        )

    @property
    def _prepares(self) -> bool:
        return self.source != "pairs" or any(self.window.before + self._after)

    def _prepared(self, n: PairNest, data: Any) -> Any:
        """The input as pairs with zeros around: `(batch, chunks, *padded, 8)`, or of a plain one
        `(batch, pairs, *padded)`."""
        w, plain, after = self.window, self.source == "plain", self._after
        padded = tuple(b + s + a for b, s, a in zip(w.before, self.size, after, strict=True))
        outer = (self.batch, self.pairs if plain else self.chunks, *padded[:-1])
        ready = n.local_pairs((*outer, padded[-1]) if plain else (*outer, padded[-1], PAIRS))
        before, width = w.before[-1], self.size[-1]
        for fixed in range(self.pairs) if plain else (0,):
            shape = (outer[0], 1, *outer[2:]) if plain else outer
            with n.parallel(prod(shape)) as task:
                image, chunk, *rows = places(task, shape)
                where = (image, fixed if plain else chunk, *rows)
                seen = [r - b for r, b in zip(rows, w.before, strict=False)]
                inside = [c for r, s in zip(seen, self.size, strict=False) for c in (r >= 0, r < s)]

                def fill(start: int, count: int, where: tuple[Any, ...] = where) -> None:
                    if count:
                        with n.serial(count) as x:
                            self._zero(n, ready, (*where, start + x))

                def row(where: tuple[Any, ...] = where, seen: list[Any] = seen, fixed: int = fixed) -> None:
                    fill(0, before, where)
                    with n.serial(width) as x:
                        self._convert(n, ready, (*where, before + x), data, (*where[:2], *seen, x), fixed)
                    fill(before + width, after[-1], where)

                if any(w.before[:-1] + after[:-1]):
                    n.either(n.all(*inside), row, lambda fill=fill: fill(0, padded[-1]))  # type: ignore[misc]
                else:
                    row()
        return ready

    def _zero(self, n: PairNest, ready: Any, at: tuple[Any, ...]) -> None:
        zero = n.tir.const(0, "int32")
        if self.source == "plain":
            n.store(ready, zero, at)
        else:
            n.store(ready, n.tir.Broadcast(zero, PAIRS), (*at, n.ramp(0, PAIRS)))

    def _convert(self, n: PairNest, ready: Any, at: tuple[Any, ...], data: Any, source: Any, fixed: int) -> None:
        if self.source == "plain":
            image, _, *place = source
            odd = 2 * fixed + 1 < self.channels
            low, high = data[(image, 2 * fixed, *place)], data[(image, 2 * fixed + 1, *place)] if odd else None
            n.store(ready, n.pair(low, high), at)
        elif self.source == "packed":
            n.store(ready, n.rounded(data[(*source, n.ramp(0))]), (*at, n.ramp(0, PAIRS)))
        else:
            n.store(ready, data[(*source, n.ramp(0, PAIRS))], (*at, n.ramp(0, PAIRS)))

    def _convolve(self, n: PairNest, buffers: _Buffers) -> None:
        shape = (self.batch, self.chunks_out // self.tile[0], *self.out[:-1])
        with n.parallel(prod(shape)) as task:
            image, first, *rows = places(task, shape)
            outs = [first * self.tile[0] + i for i in range(self.tile[0])]
            for start, blocks, columns in parts(self.out[-1], self.tile[1]):
                sums = [n.local((columns, LANES)) for _ in outs]
                with n.serial(blocks) as block:
                    tile = _Tile(sums, image, outs, rows, start + block * columns)
                    n.clear(sums)
                    self._reduce(n, buffers, tile)
                    self._finish(n, buffers, tile)

    def _reduce(self, n: PairNest, buffers: _Buffers, tile: _Tile) -> None:
        """Adds the products of the window to the sums of a tile."""
        w = self.window
        with self._window(n) as (chunk, ks):
            seen = [r * s + k * d for r, s, k, d in zip(tile.rows, w.stride, ks, w.dilation, strict=False)]
            for p in range(self.pairs):
                factors = [n.bind(buffers.weight[(o, chunk, *ks, p, n.ramp(0))]) for o in tile.outs]
                for i in range(tile.columns):
                    column = (tile.x + i) * w.stride[-1] + ks[-1] * w.dilation[-1]
                    plain = self.source == "plain"
                    at = (tile.image, p, *seen, column) if plain else (tile.image, chunk, *seen, column, p)
                    number = n.bind(n.spread(buffers.data[at]))
                    for sum_, factor in zip(tile.sums, factors, strict=True):
                        n.store(sum_, n.dot(sum_[i, n.ramp(0)], factor, number), (i, n.ramp(0)))

    @contextmanager
    def _window(self, n: PairNest) -> Iterator[tuple[Any, list[Any]]]:
        with ExitStack() as stack:
            chunk = stack.enter_context(n.serial(self.chunks))
            yield chunk, [stack.enter_context(n.serial(k)) for k in self.window.kernel]

    def _finish(self, n: PairNest, buffers: _Buffers, tile: _Tile) -> None:
        """Stores a tile with its bias, residuals and tail."""
        widened = [n.local((1, LANES)) if pairs else None for pairs in self.residual_pairs]
        for o, sum_ in zip(tile.outs, tile.sums, strict=True):
            for i in range(tile.columns):
                at = (tile.image, o, *tile.rows, tile.x + i)
                for residual, wide in zip(buffers.residuals, widened, strict=True):
                    if wide is not None:
                        n.store(wide, n.widened(residual[(*at, n.ramp(0, PAIRS))]), (0, n.ramp(0)))
                with n.vector() as lane:
                    added = [
                        residual[(*at, lane)] if wide is None else wide[0, lane]
                        for residual, wide in zip(buffers.residuals, widened, strict=True)
                    ]
                    value = finish(n.tir, sum_[i, lane] + buffers.bias[o, lane], self.tail, added)
                    if self.gives_pairs:
                        n.store(sum_, value, (i, lane))
                    else:
                        n.store(buffers.result, value, (*at, lane))
                if self.gives_pairs:
                    n.store(buffers.result, n.rounded(sum_[i, n.ramp(0)]), (*at, n.ramp(0, PAIRS)))


def ranked(chunks_out: int, width: int) -> list[tuple[int, int]]:
    """Tiles, the one that should be fastest first: full columns, enough accumulators to hide the latency of a dot
    product, few loads for each."""

    def cost(tile: tuple[int, int]) -> float:
        chunks, columns = tile
        dots = sum(blocks * max(chunks * size, _LATENCY) for _, blocks, size in parts(width, columns))
        loads = 1 / chunks + 1 / columns
        return dots / (chunks * width) * (1 + 0.3 * loads)

    tiles = [(c, x) for c in (1, 2, 3, 4) if chunks_out % c == 0 for x in range(1, min(14, _ACCUMULATORS // c) + 1)]
    return sorted(tiles, key=cost)
