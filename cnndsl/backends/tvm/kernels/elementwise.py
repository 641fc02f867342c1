"""Sums, products, batch norm that found no convolution, and activations, over packed maps; and the mean of each channel."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from cnndsl.backends.tvm.groups import Tail
from cnndsl.backends.tvm.kernels.functions import finish
from cnndsl.backends.tvm.kernels.generic import scheduled
from cnndsl.backends.tvm.library import load_tvm


@dataclass(frozen=True)
class Elementwise:
    """Arguments: inputs `(batch, chunks, h or 1, w or 1, lanes)`; for `affine` scale and shift `(chunks, lanes)`; output."""

    kind: Literal["add", "mul", "affine", "same"]
    batch: int
    chunks: int
    size: tuple[int, int]
    lanes: int
    sizes: tuple[tuple[int, int], ...]
    """Height and width of each input: the output's, or 1 where it stretches."""
    tail: Tail

    def prim_func(self) -> Any:
        """The scheduled function."""
        tvm = load_tvm()
        te, tir = tvm.te, tvm.tirx
        inputs = [
            te.placeholder((self.batch, self.chunks, *size, self.lanes), name=f"data{i}")
            for i, size in enumerate(self.sizes)
        ]
        factors = (
            [te.placeholder((self.chunks, self.lanes), name=name) for name in ("scale", "shift")]
            if self.kind == "affine"
            else []
        )

        def element(n: Any, c: Any, y: Any, x: Any, lane: Any) -> Any:
            values = [
                data[n, c, 0 if size[0] == 1 else y, 0 if size[1] == 1 else x, lane]
                for data, size in zip(inputs, self.sizes, strict=True)
            ]
            value = values[0]
            if factors:
                value = value * factors[0][c, lane] + factors[1][c, lane]
            for other in values[1:]:
                value = value + other if self.kind == "add" else value * other
            return finish(tir, value, self.tail, [])

        result = te.compute((self.batch, self.chunks, *self.size, self.lanes), element, name="result")
        s = tvm.s_tir.Schedule(te.create_prim_func([*inputs, *factors, result]))
        n, c, y, _, lane = s.get_loops(s.get_sblock("result"))
        s.parallel(s.fuse(n, c, y))
        s.vectorize(lane)
        return scheduled(s)


@dataclass(frozen=True)
class GlobalMean:
    """Arguments: input `(batch, chunks, h, w, lanes)`, output `(batch, chunks, 1, 1, lanes)`."""

    batch: int
    chunks: int
    size: tuple[int, int]
    lanes: int

    def prim_func(self) -> Any:
        """The scheduled function."""
        tvm = load_tvm()
        te, (h, w) = tvm.te, self.size
        data = te.placeholder((self.batch, self.chunks, h, w, self.lanes), name="data")
        y, x = te.reduce_axis((0, h), name="y"), te.reduce_axis((0, w), name="x")
        out = (self.batch, self.chunks, 1, 1, self.lanes)
        sums = te.compute(out, lambda *i: te.sum(data[i[0], i[1], y, x, i[4]], axis=[y, x]), name="sums")
        result = te.compute(out, lambda *i: sums(*i) * tvm.tirx.const(1 / (h * w), "float32"), name="result")
        s = tvm.s_tir.Schedule(te.create_prim_func([data, result]))
        n, c, i, j, lane = s.get_loops(s.get_sblock("result"))
        task = s.fuse(n, c, i, j)
        s.parallel(task)
        s.compute_at(s.get_sblock("sums"), task, preserve_unit_loops=True)
        s.vectorize(lane)
        *_, n_in, c_in, i_in, j_in, lane_in, y_in, x_in = s.get_loops(s.get_sblock("sums"))
        s.reorder(n_in, c_in, i_in, j_in, y_in, x_in, lane_in)
        s.vectorize(lane_in)
        s.decompose_reduction(s.get_sblock("sums"), y_in)
        return scheduled(s)
