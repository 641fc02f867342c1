"""Depthwise convolution of maps of whole numbers on any processor: each channel has a window of its own.

One task is a row of one chunk of channels. A tile of columns stays in registers; for each row of the window every chunk
of the input is widened once and goes to all columns that see it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from math import prod
from typing import Any

from cnndsl.backends.tvm.kernels.words.nest import parts
from cnndsl.backends.tvm.kernels.words.portable_quads import PortableQuadNest, Rescaled
from cnndsl.backends.tvm.kernels.words.surrounded import places, surrounded
from cnndsl.ir.window import Window

_COLUMNS = 8
_UNROLLED = 36
"""Weights of a channel up to which the rows of a window are written out one by one."""


@dataclass(frozen=True)
class QuantizedDepthwise:
    """Arguments: input quads `(batch, chunks, *size, lanes // 4)`; weights int8 `(chunks, *kernel, lanes)`; what the sums begin
    with, int32 `(chunks, lanes)`; factor, offset, scalars as in `Rescaled`; zero int32 `(2,)`: the zero point, and a quad of
    it; residuals in quads; result, quads or with `rounds` false float32 `(batch, chunks, *out, lanes)`."""

    batch: int
    chunks: int
    size: tuple[int, ...]
    lanes: int
    window: Window
    residuals: int
    rounds: bool
    vectors: bool

    @property
    def out(self) -> tuple[int, ...]:
        return self.window.output_size(self.size)

    def prim_func(self) -> Any:
        """The function, as loops."""
        n = PortableQuadNest(self.lanes, self.vectors)
        shape = (self.batch, self.chunks, *self.out)
        with n.function():
            data = n.whole("data", (self.batch, self.chunks, *self.size, n.words))
            weight = n.whole("weight", (self.chunks, *self.window.kernel, self.lanes), "int8")
            start = n.whole("start", (self.chunks, self.lanes))
            rescaled = Rescaled(n, (self.chunks,), self.residuals, rounds=self.rounds)
            zero = n.whole("zero", (2,))
            added = [n.whole(f"residual{i}", (*shape, n.words)) for i in range(self.residuals)]
            result = n.whole("result", (*shape, n.words)) if self.rounds else n.argument("result", (*shape, self.lanes))
            with n.block(), n.instructions():
                ready = surrounded(n, data, self.window, zero[1])
                body = _Body(self, n, ready, weight, start, rescaled, added, result)
                with n.parallel(prod(shape[:-1])) as task:
                    image, chunk, *row = places(task, shape[:-1])
                    for first, tiles, columns in parts(self.out[-1], _COLUMNS):
                        with n.serial(tiles) as tile:
                            body.tile(image, chunk, row, first + tile * columns, columns)
        return n.finished()


@dataclass(frozen=True)
class _Body:
    kernel: QuantizedDepthwise
    n: PortableQuadNest
    data: Any
    weight: Any
    start: Any
    rescaled: Rescaled
    added: list[Any]
    result: Any

    def tile(self, image: Any, chunk: Any, row: Sequence[Any], x: Any, columns: int) -> None:
        """The outputs of `columns` columns from `x` on in one row."""
        k, n, w = self.kernel, self.n, self.kernel.window
        sums = n.local_whole((columns, k.lanes))
        with n.each() as lane:
            for i in range(columns):
                n.store(sums, self.start[chunk, lane], (i, lane))
        seen = defaultdict(list)
        for i in range(columns):
            for tap in range(w.kernel[-1]):
                seen[i * w.stride[-1] + tap * w.dilation[-1]].append((i, tap))

        def across(taps: Sequence[Any]) -> None:
            at = [n.bind(r * s + t * d) for r, s, t, d in zip(row, w.stride, taps, w.dilation, strict=False)]
            low = n.bind(x * w.stride[-1])
            with n.each() as lane:
                factors = [n.bind(n.signed(self.weight, (chunk, *taps, tap), lane)) for tap in range(w.kernel[-1])]
                for column, pairs in sorted(seen.items()):
                    value = n.bind(n.numbers(self.data, (image, chunk, *at, low + column), lane))
                    for i, tap in pairs:
                        n.store(sums, sums[i, lane] + value * factors[tap], (i, lane))

        above = w.kernel[:-1]
        if prod(w.kernel) <= _UNROLLED:
            for tap in range(prod(above)):
                across([tap // prod(above[axis + 1 :]) % size for axis, size in enumerate(above)])
        else:
            with n.serial(prod(above)) as tap:
                across(places(tap, above))
        for i in range(columns):
            place = (image, chunk, *row, x + i)
            self.rescaled.stored(
                self.result,
                place,
                (chunk,),
                lambda lane, i=i: sums[i, lane],  # type: ignore[misc]
                lambda lane, place=place: [n.numbers(r, place, lane) for r in self.added],  # type: ignore[misc]
            )
