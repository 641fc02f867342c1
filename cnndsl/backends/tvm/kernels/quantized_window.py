"""Means and maxima of windows over maps of whole numbers, on any processor. What lies outside a map counts as zero in a mean
and not at all in a maximum."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod
from typing import Any, Literal

from cnndsl.backends.tvm.kernels.words.portable_quads import PortableQuadNest, Rescaled
from cnndsl.backends.tvm.kernels.words.surrounded import places
from cnndsl.ir.window import Window

_UNROLLED = 9
"""Positions of a window up to which it is written out."""


@dataclass(frozen=True)
class QuantizedWindow:
    """Arguments: input quads `(batch, chunks, *size, lanes // 4)`; for means factor, offset `(chunks, lanes)`, scalars as in
    `Rescaled` and the zero point, int32 `(1,)`; result in quads `(batch, chunks, *out, lanes // 4)`."""

    kind: Literal["max", "mean"]
    batch: int
    chunks: int
    size: tuple[int, ...]
    lanes: int
    window: Window
    vectors: bool

    def prim_func(self) -> Any:
        """The function, as loops: a task for each row of the result."""
        n = PortableQuadNest(self.lanes, self.vectors)
        shape = (self.batch, self.chunks, *self.window.output_size(self.size))
        with n.function():
            data = n.whole("data", (self.batch, self.chunks, *self.size, n.words))
            rescaled = Rescaled(n, (self.chunks,), 0) if self.kind == "mean" else None
            zero = n.whole("zero", (1,)) if self.kind == "mean" else None
            result = n.whole("result", (*shape, n.words))
            with n.block(), n.instructions(), n.parallel(prod(shape[:-1])) as task, n.serial(shape[-1]) as x:
                image, chunk, *row = places(task, shape[:-1])
                position = [*row, x]
                if rescaled is None:
                    self._maximum(n, data, result, (image, chunk), position)
                else:
                    self._mean(n, data, rescaled, zero, result, (image, chunk), position)
        return n.finished()

    def _maximum(self, n: PortableQuadNest, data: Any, result: Any, at: tuple[Any, Any], position: list[Any]) -> None:
        if n.vectors:
            most = n.local_whole((1, n.words))
            n.fill(most, (0,), n.whole_number(0))
            self._seen(
                n,
                position,
                lambda seen: n.store_quads(most, n.larger(n.quads(most, (0,)), n.quads(data, (*at, *seen))), (0,)),
            )
            n.store_quads(result, n.quads(most, (0,)), (*at, *position))
            return
        largest = n.local_whole((1, self.lanes))

        def larger(seen: list[Any]) -> None:
            with n.each() as lane:
                n.store(largest, n.tir.max(largest[0, lane], n.numbers(data, (*at, *seen), lane)), (0, lane))

        with n.each() as lane:
            n.store(largest, n.whole_number(0), (0, lane))
        self._seen(n, position, larger)
        n.store_rounded(result, (*at, *position), lambda lane: largest[0, lane])

    def _mean(
        self,
        n: PortableQuadNest,
        data: Any,
        rescaled: Rescaled,
        zero: Any,
        result: Any,
        at: tuple[Any, Any],
        position: list[Any],
    ) -> None:
        sums = n.local_whole((1, self.lanes))
        with n.each() as lane:
            n.store(sums, n.spread(n.whole_number(0)), (0, lane))

        def add(seen: list[Any]) -> None:
            with n.each() as lane:
                number = n.numbers(data, (*at, *seen), lane) - n.spread(zero[0])
                n.store(sums, sums[0, lane] + number, (0, lane))

        self._seen(n, position, add)
        rescaled.stored(result, (*at, *position), (at[1],), lambda lane: sums[0, lane])

    def _seen(self, n: PortableQuadNest, position: list[Any], do: Any) -> None:
        """Does something at each place of the map that the window sees from a position of the result."""
        w = self.window
        filled = w.after_filled(self.size)

        def at(taps: Sequence[Any]) -> None:
            seen = [
                n.bind(p * s + t * d - b)
                for p, s, t, d, b in zip(position, w.stride, taps, w.dilation, w.before, strict=True)
            ]
            within = [
                c
                for p, size, pads in zip(seen, self.size, zip(w.before, filled, strict=True), strict=True)
                if any(pads)
                for c in (p >= 0, p < size)
            ]
            with n.when(n.all(*within) if within else True, bool(within)):
                do(seen)

        if prod(w.kernel) <= _UNROLLED:
            for tap in range(prod(w.kernel)):
                at([tap // prod(w.kernel[axis + 1 :]) % size for axis, size in enumerate(w.kernel)])
        else:
            with n.serial(prod(w.kernel)) as tap:
                at(places(tap, w.kernel))
