"""Depthwise convolution over packed maps, where each channel has a window of its own, and convolution in small groups
of channels, several of which lie in a chunk.

Maps have one, two or three axes. One task is a band of rows of one chunk of channels. A tile of columns stays in vector
registers; for each row of the window every vector of the input is loaded once and goes to all columns that see it. What
lies outside the map is never read: rows are decided one by one, columns when the kernel is written, since only the
tiles at the two ends of a row see any.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import product
from math import prod
from typing import Any, Self

from cnndsl.backends.tvm.kernels.words.borders import runs
from cnndsl.backends.tvm.kernels.words.demand import Demand, passes
from cnndsl.backends.tvm.kernels.words.nest import Nest
from cnndsl.backends.tvm.kernels.words.tile import store_tile
from cnndsl.backends.tvm.plan.groups import Tail
from cnndsl.backends.tvm.target import Cpu
from cnndsl.ir.window import Window

_UNROLLED = 36
"""Weights of a channel up to which the rows of a window are written out one by one."""
_TASKS = 16
"""The number of tasks that there should be at least, so that all threads are busy to the end."""


@dataclass(frozen=True)
class DepthwiseConv:
    """Arguments: input `(batch, chunks, *size, lanes)`, weight `(chunks, *kernel, seen, lanes)`, bias `(chunks,
    lanes)`; residuals of the tail and output `(batch, chunks, *out, lanes)`."""

    batch: int
    chunks: int
    size: tuple[int, ...]
    lanes: int
    seen: int
    """Channels of a group, which divide the lanes; one where convolution is depthwise."""
    window: Window
    tail: Tail
    columns: int
    by_rows: bool
    """Whether neighbouring tasks go through the chunks of one band of rows, or through the bands of one chunk."""
    shuffles: bool
    """Whether numbers change places in a register, or are read one by one, as C source has to."""

    def candidates(self) -> tuple[Self, ...]:
        """Itself, then others with other widths of the tile."""
        *_, width = self.window.output_size(self.size)
        others = {min(width, n) for n in (4, 6, 7, 8, 10, 12, 14)} - {min(width, self.columns)}
        return (self, *(replace(self, columns=n) for n in sorted(others)))

    def demand(self, threads: int) -> Demand:
        """What a call takes: a multiply-add for each tap, and a load for each column that a tile sees of a row of the window."""
        *rows, width = self.window.output_size(self.size)
        maps, taps = self.batch * self.chunks, prod(self.window.kernel) * self.seen
        vectors = maps * prod(rows) * width / threads
        columns = min(self.columns, width)
        loaded = ((columns - 1) * self.window.stride[-1] + self.window.kernel[-1]) / columns
        loads = vectors * loaded * prod(self.window.kernel[:-1]) * self.seen
        short, long = passes(self.tail)
        family = "DepthwiseConv" if self.seen == 1 else "DepthwiseConv, groups"
        ragged = -(-width // columns) * columns / width
        return Demand(family, vectors * taps * ragged, loads, vectors * (1 + short), vectors * long)

    def prim_func(self) -> Any:
        """The function, as loops."""
        n = Nest(self.lanes)
        out = (self.batch, self.chunks, *self.window.output_size(self.size), self.lanes)
        with n.function():
            data = n.argument("data", (self.batch, self.chunks, *self.size, self.lanes))
            weight = n.argument("weight", (self.chunks, *self.window.kernel, self.seen, self.lanes))
            bias = n.argument("bias", (self.chunks, self.lanes))
            residuals = [n.argument(f"residual{i}", out) for i in range(self.tail.count(None))]
            _Body(self, n, data, weight, bias, residuals, n.argument("result", out)).bands()
        return n.finished()


@dataclass(frozen=True)
class _Body:
    kernel: DepthwiseConv
    n: Nest
    data: Any
    weight: Any
    bias: Any
    residuals: list[Any]
    result: Any

    def bands(self) -> None:
        """One task for each band of rows of a chunk; where maps have one axis, for each piece of the only row."""
        k, n = self.kernel, self.n
        rows = k.window.output_size(k.size)[:-1]
        maps, total = k.batch * k.chunks, prod(rows)
        wanted = -(-_TASKS // (1 if k.by_rows else maps))
        middle = max(tiles for _, tiles, _ in runs(k.window, k.size, k.columns))
        band, piece = (-(-total // min(total, wanted)), middle) if rows else (1, -(-middle // min(middle, wanted)))
        bands, pieces = -(-total // band), -(-middle // piece)
        with n.parallel(maps * bands * pieces) as task, n.serial(band) as inner:
            cut = bands * pieces
            if k.by_rows:
                image, part, chunk = task // (cut * k.chunks), task // k.chunks % cut, task % k.chunks
            else:
                image, part, chunk = task // (cut * k.chunks), task % cut, task // cut % k.chunks
            row, column = n.bind(part // pieces * band + inner), n.bind(part % pieces)
            with n.when(row < total, total % band != 0):
                place = [n.bind(row // prod(rows[axis + 1 :]) % size) for axis, size in enumerate(rows)]
                self._row(n.bind(image), n.bind(chunk), place, column, piece, pieces)

    def _row(self, image: Any, chunk: Any, rows: Sequence[Any], column: Any, piece: int, pieces: int) -> None:
        """The tiles of piece `column` of a row; what lies before and after its long run belongs to the first and the
        last."""
        k, n = self.kernel, self.n
        along = runs(k.window, k.size, k.columns)
        longest = max(range(len(along)), key=lambda i: along[i][1])
        for index, (first, tiles, columns) in enumerate(along):
            if index != longest:
                mine = column == (0 if index < longest else pieces - 1)
                with n.when(mine, pieces > 1):
                    for i in range(tiles):
                        self._tile(image, chunk, rows, first + i * columns, columns)
            elif tiles == 1:
                self._tile(image, chunk, rows, first, columns)
            else:
                with n.serial(piece) as inner:
                    tile = n.bind(column * piece + inner)
                    with n.when(tile < tiles, tiles % piece != 0):
                        self._tile(image, chunk, rows, first + tile * columns, columns)

    def _seen(self, columns: int) -> dict[int, list[tuple[int, int]]]:
        """The columns of the input that a tile sees, from its first on, with (column of the tile, of the window) for
        each."""
        w = self.kernel.window
        seen = defaultdict(list)
        for x in range(columns):
            for tap in range(w.kernel[-1]):
                seen[x * w.stride[-1] + tap * w.dilation[-1]].append((x, tap))
        return dict(sorted(seen.items()))

    def _tile(self, image: Any, chunk: Any, rows: Sequence[Any], start: Any, columns: int) -> None:
        """The outputs of `columns` columns from `start` on in one row."""
        k, n, w = self.kernel, self.n, self.kernel.window
        low = start * w.stride[-1] - w.before[-1]
        seen = self._seen(columns)
        if isinstance(start, int):
            seen = {at: taps for at, taps in seen.items() if 0 <= low + at < k.size[-1]}
        sums = n.local((columns, k.lanes))
        with n.vector() as lane:
            for x in range(columns):
                n.store(sums, self.bias[chunk, lane], (x, lane))

        def across(taps: Sequence[Any]) -> None:
            places = [
                n.bind(row * s + tap * d - b)
                for row, tap, s, d, b in zip(rows, taps, w.stride, w.dilation, w.before, strict=False)
            ]
            padded = [b + a for b, a in zip(w.before, w.after_filled(k.size), strict=True)]
            within = [
                c for p, size, pad in zip(places, k.size, padded, strict=False) if pad for c in (p >= 0, p < size)
            ]
            with n.when(n.all(*within) if within else True, bool(within)):
                for c in range(k.seen):
                    if k.seen > 1 and k.shuffles:
                        add(taps, places, c, n.ramp(0))
                    else:
                        with n.vector() as lane:
                            add(taps, places, c, lane)

        def add(taps: Sequence[Any], places: list[Any], c: int, lane: Any) -> None:
            factors = [n.bind(self.weight[(chunk, *taps, tap, c, lane)]) for tap in range(w.kernel[-1])]
            for at, pairs in seen.items():
                value = n.bind(self._value((image, chunk, *places, low + at), c, lane))
                for x, tap in pairs:
                    n.store(sums, sums[x, lane] + factors[tap] * value, (x, lane))

        above = w.kernel[:-1]
        if prod(w.kernel) * k.seen <= _UNROLLED:
            for taps in product(*map(range, above)):
                across(taps)
        else:
            with n.serial(prod(above)) as tap:
                across([n.bind(tap // prod(above[axis + 1 :]) % size) for axis, size in enumerate(above)])

        def place(x: Any, lane: Any) -> tuple[Any, ...]:
            return image, chunk, *rows, start + x, lane

        store_tile(n, k.tail, lambda x, lane: sums[x, lane], columns, self.residuals, self.result, place)

    def _value(self, place: tuple[Any, ...], c: int, lane: Any) -> Any:
        """Channel c of each group of the input, in all places of the group."""
        k = self.kernel
        if k.seen == 1:
            return self.data[(*place, lane)]
        if k.shuffles:
            return self.n.shuffled([self.data[(*place, lane)]], [i // k.seen * k.seen + c for i in range(k.lanes)])
        return self.data[(*place, lane // k.seen * k.seen + c)]


def depthwise(
    batch: int, chunks: int, size: tuple[int, ...], seen: int, window: Window, tail: Tail, cpu: Cpu
) -> DepthwiseConv:
    """The kernel by the rule: the widest tile that leaves registers for the weights of a row and two vectors of input.

    Threads share large maps of few channels by rows and others by channels, as the 1×1 convolutions around them do:
    what another thread wrote comes from its core's cache, and late.
    """
    columns = max(4, min(cpu.registers - window.kernel[-1] - 2, 14))
    by_rows = prod(window.output_size(size)) > 2 * chunks * cpu.lanes
    return DepthwiseConv(
        batch, chunks, size, cpu.lanes, seen, window, tail, columns, by_rows, shuffles=cpu.kind == "llvm"
    )
