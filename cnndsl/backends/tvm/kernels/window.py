"""Maximum and average pooling over packed maps: a window that slides over each channel by itself.

Maps have one, two or three axes. One task is a band of rows (of one axis: a piece of it) of one chunk of channels. It
copies its padded input once, then each vector of outputs combines the window's vectors: memory sets the speed.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import prod
from typing import Any, Literal, Self

from cnndsl.backends.tvm.kernels.words.demand import Demand, passes
from cnndsl.backends.tvm.kernels.words.finished import scheduled
from cnndsl.backends.tvm.kernels.words.functions import finish
from cnndsl.backends.tvm.library import load_tvm
from cnndsl.backends.tvm.plan.groups import Tail
from cnndsl.ir.window import Window


@dataclass(frozen=True)
class WindowKernel:
    """Arguments: input `(batch, chunks, *size, lanes)`, residuals of the tail and output `(batch, chunks, *out,
    lanes)`."""

    kind: Literal["max", "mean"]
    batch: int
    chunks: int
    size: tuple[int, ...]
    lanes: int
    window: Window
    tail: Tail
    tile: tuple[int, int] | None = None
    """Rows of a band and columns in registers; by the rule of `best_tile` where it is None."""

    def candidates(self) -> tuple[Self, ...]:
        """Itself, and the same with other bands and columns."""
        height, width = self._extent
        tiles = {
            (rows, columns)
            for rows in {_divisor(height, most) for most in (4, 8, 14, 28, 56)}
            for columns in {_divisor(width, 14), min(4, width), min(8, width)}
        }
        others = (tile for tile in sorted(tiles) if tile != (self.tile or best_tile(height, width)))
        return (self, *(replace(self, tile=tile) for tile in others))

    @property
    def _extent(self) -> tuple[int, int]:
        """Height and width of the result; with one axis the pieces of eight are the rows."""
        *_, width = out = self.window.output_size(self.size)
        return (-(-width // 8) if len(out) == 1 else out[-2]), width

    def demand(self, threads: int) -> Demand:
        """What a call takes: one instruction for each tap, and a copy of what has a border."""
        vectors = self.batch * self.chunks * prod(self.window.output_size(self.size)) / threads
        before, after = self._before_after
        padded = any(before + after) * self.batch * self.chunks * self.lanes
        padded *= prod(n + b + a for n, b, a in zip(self.size, before, after, strict=True))
        short, long = passes(self.tail)
        return Demand(
            "WindowKernel", vectors * prod(self.window.kernel), 0, vectors * (1 + short), vectors * long, 4 * padded
        )

    def prim_func(self) -> Any:
        """The scheduled function."""
        tvm = load_tvm()
        schedule = tvm.s_tir.Schedule(tvm.te.create_prim_func(self._expression(tvm.te, tvm.tirx)))
        self._schedule(schedule)
        return scheduled(schedule)

    @property
    def _before_after(self) -> tuple[tuple[int, ...], tuple[int, ...]]:
        return self.window.before, self.window.after_filled(self.size)

    def _expression(self, te: Any, tir: Any) -> list[Any]:
        w, lanes = self.window, self.lanes
        data = te.placeholder((self.batch, self.chunks, *self.size, lanes), name="data")
        out = (self.batch, self.chunks, *w.output_size(self.size), lanes)
        residuals = [te.placeholder(out, name=f"residual{i}") for i in range(self.tail.count(None))]
        padded = self._padded(te, tir, data)
        ks = [te.reduce_axis((0, k), name=f"k{axis}") for axis, k in enumerate(w.kernel)]

        def seen(n: Any, c: Any, *rest: Any) -> Any:
            places = [p * s + k * d for p, s, k, d in zip(rest, w.stride, ks, w.dilation, strict=False)]
            return padded(n, c, *places, rest[-1])

        reduce = te.max if self.kind == "max" else te.sum
        reduced = te.compute(out, lambda *i: reduce(seen(*i), axis=ks), name="reduced")

        def element(*i: Any) -> Any:
            value = reduced(*i)
            if self.kind == "mean":
                value = value * tir.const(1 / prod(w.kernel), "float32")
            return finish(tir, value, self.tail, [r(*i) for r in residuals])

        return [data, *residuals, te.compute(out, element, name="result")]

    def _padded(self, te: Any, tir: Any, data: Any) -> Any:
        before, after = self._before_after
        if not any(before + after):
            return data
        fill = tir.min_value("float32") if self.kind == "max" else tir.const(0, "float32")

        def element(n: Any, c: Any, *rest: Any) -> Any:
            *places, lane = rest
            known = list(zip(places, before, self.size, strict=True))
            inside = tir.all(*(condition for p, b, n in known for condition in (p >= b, p < n + b)))
            return tir.if_then_else(inside, data(n, c, *(p - b for p, b, _ in known), lane), fill)

        padded = [n + b + a for n, b, a in zip(self.size, before, after, strict=True)]
        return te.compute((self.batch, self.chunks, *padded, self.lanes), element, name="padded")

    def _schedule(self, s: Any) -> None:
        rank = len(self.size)
        rows_of_band, columns = self.tile or best_tile(*self._extent)
        reduced, result = s.get_sblock("reduced"), s.get_sblock("result")
        n, c, *rows, x, lane = s.get_loops(result)
        x_outer, x_tile = s.split(x, [None, columns])
        if rows:
            band, _ = s.split(rows[-1], [None, rows_of_band])
        else:
            band, x_outer = s.split(x_outer, [None, rows_of_band])
        task = s.fuse(n, c, *rows[:-1], band)
        s.parallel(task)
        s.compute_at(reduced, x_outer, preserve_unit_loops=True)
        if any(sum(self._before_after, ())):
            padded = s.get_sblock("padded")
            s.compute_at(padded, task, preserve_unit_loops=True)
            s.vectorize(s.get_loops(padded)[-1])
        s.unroll(x_tile)
        s.vectorize(lane)
        *inner, x_in, lane_in = s.get_loops(reduced)[-2 * rank - 3 : -rank]
        ks = s.get_loops(reduced)[-rank:]
        s.reorder(*inner, *ks, x_in, lane_in)
        for axis, loop in enumerate(ks):
            if prod(self.window.kernel[axis:]) <= 25:
                s.unroll(loop)
        s.unroll(x_in)
        s.vectorize(lane_in)
        s.decompose_reduction(reduced, ks[0])


def best_tile(height: int, width: int) -> tuple[int, int]:
    """Rows and columns: bands of up to 28 rows that divide the height; 6 to 8 columns that divide the width, else of
    4 to 8 the most that waste no more than an eighth of the work."""
    exact = _divisor(width, 8)
    near = [columns for columns in range(4, 9) if -(-width // columns) * columns * 7 <= width * 8]
    return _divisor(height, 28), exact if exact >= 6 else max(near, default=exact)


def _divisor(number: int, most: int) -> int:
    """The largest divisor up to `most`."""
    return max(d for d in range(1, most + 1) if number % d == 0)
