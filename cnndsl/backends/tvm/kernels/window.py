"""What slides over each channel by itself, packed: depthwise convolution, maximum and average pooling.

One task is a band of rows of one chunk of channels. It copies its padded input once, then each vector of outputs
combines the window's vectors: memory sets the speed.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import Any, Literal

from cnndsl.backends.tvm.groups import Tail
from cnndsl.backends.tvm.kernels.functions import finish
from cnndsl.backends.tvm.kernels.generic import scheduled
from cnndsl.backends.tvm.library import load_tvm
from cnndsl.ir.window import Window


@dataclass(frozen=True)
class WindowKernel:
    """Arguments: input `(batch, chunks, h, w, lanes)`; for `depthwise` weight `(chunks, kh, kw, lanes)` and bias
    `(chunks, lanes)`; residuals of the tail and output `(batch, chunks, oh, ow, lanes)`."""

    kind: Literal["depthwise", "max", "mean"]
    batch: int
    chunks: int
    size: tuple[int, int]
    lanes: int
    window: Window
    tail: Tail

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
        (oh, ow), (kh, kw), (sy, sx), (dy, dx) = w.output_size(self.size), w.kernel, w.stride, w.dilation
        data = te.placeholder((self.batch, self.chunks, *self.size, lanes), name="data")
        out = (self.batch, self.chunks, oh, ow, lanes)
        residuals = [te.placeholder(out, name=f"residual{i}") for i in range(self.tail.count(None))]
        padded = self._padded(te, tir, data)
        ky, kx = te.reduce_axis((0, kh), name="ky"), te.reduce_axis((0, kw), name="kx")
        arguments = [data]

        def seen(n: Any, c: Any, y: Any, x: Any, lane: Any) -> Any:
            return padded[n, c, y * sy + ky * dy, x * sx + kx * dx, lane]

        if self.kind == "depthwise":
            weight = te.placeholder((self.chunks, kh, kw, lanes), name="weight")
            bias = te.placeholder((self.chunks, lanes), name="bias")
            arguments += [weight, bias]
            reduced = te.compute(
                out,
                lambda n, c, y, x, lane: te.sum(seen(n, c, y, x, lane) * weight[c, ky, kx, lane], axis=[ky, kx]),
                name="reduced",
            )
        else:
            reduce = te.max if self.kind == "max" else te.sum
            reduced = te.compute(out, lambda *i: reduce(seen(*i), axis=[ky, kx]), name="reduced")

        def element(*i: Any) -> Any:
            value = reduced(*i)
            if self.kind == "depthwise":
                value = value + bias[i[1], i[4]]
            elif self.kind == "mean":
                value = value * tir.const(1 / prod(w.kernel), "float32")
            return finish(tir, value, self.tail, [r(*i) for r in residuals])

        return [*arguments, *residuals, te.compute(out, element, name="result")]

    def _padded(self, te: Any, tir: Any, data: Any) -> Any:
        (top, left), (bottom, right) = self._before_after
        if not any((top, left, bottom, right)):
            return data
        h, w = self.size
        fill = tir.min_value("float32") if self.kind == "max" else tir.const(0, "float32")

        def element(n: Any, c: Any, y: Any, x: Any, lane: Any) -> Any:
            inside = tir.all(y >= top, y < h + top, x >= left, x < w + left)
            return tir.if_then_else(inside, data[n, c, y - top, x - left, lane], fill)

        shape = (self.batch, self.chunks, h + top + bottom, w + left + right, self.lanes)
        return te.compute(shape, element, name="padded")

    def _schedule(self, s: Any) -> None:
        oh, ow = self.window.output_size(self.size)
        rows, columns = _divisor(oh, 8), _divisor(ow, 8)
        reduced, result = s.get_sblock("reduced"), s.get_sblock("result")
        n, c, y, x, lane = s.get_loops(result)
        y_task, _ = s.split(y, [None, rows])
        x_outer, x_tile = s.split(x, [None, columns])
        task = s.fuse(n, c, y_task)
        s.parallel(task)
        s.compute_at(reduced, x_outer, preserve_unit_loops=True)
        if any(sum(self._before_after, ())):
            padded = s.get_sblock("padded")
            s.compute_at(padded, task, preserve_unit_loops=True)
            s.vectorize(s.get_loops(padded)[-1])
        s.unroll(x_tile)
        s.vectorize(lane)
        *_, n_in, c_in, row, x_in, lane_in, ky, kx = s.get_loops(reduced)
        s.reorder(n_in, c_in, row, ky, kx, x_in, lane_in)
        for loop in (ky, kx) if prod(self.window.kernel) <= 25 else (kx,) if self.window.kernel[1] <= 25 else ():
            s.unroll(loop)
        s.unroll(x_in)
        s.vectorize(lane_in)
        s.decompose_reduction(reduced, ky)


def _divisor(number: int, most: int) -> int:
    """The largest divisor up to `most`."""
    return max(d for d in range(1, most + 1) if number % d == 0)
