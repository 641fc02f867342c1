"""Sums, products and their kin, batch norm that found no convolution, and activations, over packed maps; and the mean
and the largest value of each channel."""

from __future__ import annotations

import operator
from dataclasses import dataclass
from math import prod
from typing import Any, Literal

from cnndsl.backends.tvm.kernels.words.demand import Demand, passes
from cnndsl.backends.tvm.kernels.words.finished import scheduled
from cnndsl.backends.tvm.kernels.words.functions import finish
from cnndsl.backends.tvm.library import load_tvm
from cnndsl.backends.tvm.plan.groups import Tail
from cnndsl.ir.op import Combination


@dataclass(frozen=True)
class Elementwise:
    """Arguments: inputs `(batch, chunks, *size, lanes)`, 1 for an axis that stretches; for `affine` scale and shift
    `(chunks, lanes)`; output."""

    kind: Combination | Literal["affine", "same"]
    batch: int
    chunks: int
    size: tuple[int, ...]
    lanes: int
    sizes: tuple[tuple[int, ...], ...]
    """The axes of each input: the output's, or 1 where it stretches."""
    tail: Tail

    def demand(self, threads: int) -> Demand:
        """What a call takes."""
        short, long = passes(self.tail)
        vectors = self.batch * self.chunks * prod(self.size) / threads
        return Demand("Elementwise", 0, vectors * len(self.sizes), vectors * (1 + short), vectors * long)

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

        combine = {"sub": operator.sub, "mul": operator.mul, "max": tir.max, "min": tir.min}.get(
            self.kind, operator.add
        )

        def element(n: Any, c: Any, *rest: Any) -> Any:
            *places, lane = rest
            values = [
                data(n, c, *(0 if extent == 1 else p for extent, p in zip(size, places, strict=True)), lane)
                for data, size in zip(inputs, self.sizes, strict=True)
            ]
            value = values[0]
            if factors:
                value = value * factors[0][c, lane] + factors[1][c, lane]
            for other in values[1:]:
                value = combine(value, other)
            if self.kind == "mean":
                value = value / tir.const(len(values), "float32")
            return finish(tir, value, self.tail, [])

        result = te.compute((self.batch, self.chunks, *self.size, self.lanes), element, name="result")
        s = tvm.s_tir.Schedule(te.create_prim_func([*inputs, *factors, result]))
        *outer, x, lane = s.get_loops(s.get_sblock("result"))
        if len(self.size) == 1:
            piece, _ = s.split(x, [None, 64])
            outer.append(piece)
        s.parallel(s.fuse(*outer))
        s.vectorize(lane)
        return scheduled(s)


@dataclass(frozen=True)
class GlobalPool:
    """Arguments: input `(batch, chunks, *size, lanes)`, output the same with sizes of 1."""

    kind: Literal["mean", "max"]
    batch: int
    chunks: int
    size: tuple[int, ...]
    lanes: int

    def prim_func(self) -> Any:
        """The scheduled function."""
        tvm = load_tvm()
        te, rank = tvm.te, len(self.size)
        data = te.placeholder((self.batch, self.chunks, *self.size, self.lanes), name="data")
        places = [te.reduce_axis((0, n), name=f"p{axis}") for axis, n in enumerate(self.size)]
        out = (self.batch, self.chunks, *(1 for _ in self.size), self.lanes)
        reduce = te.max if self.kind == "max" else te.sum
        factor = tvm.tirx.const(1 / prod(self.size) if self.kind == "mean" else 1, "float32")
        reduced = te.compute(out, lambda *i: reduce(data(*i[:2], *places, i[-1]), axis=places), name="reduced")
        result = te.compute(out, lambda *i: reduced(*i) * factor, name="result")
        s = tvm.s_tir.Schedule(te.create_prim_func([data, result]))
        *outer, lane = s.get_loops(s.get_sblock("result"))
        task = s.fuse(*outer)
        s.parallel(task)
        s.compute_at(s.get_sblock("reduced"), task, preserve_unit_loops=True)
        s.vectorize(lane)
        loops = s.get_loops(s.get_sblock("reduced"))
        lane_in, inner = loops[-rank - 1], loops[-rank:]
        s.reorder(*inner, lane_in)
        s.vectorize(lane_in)
        s.decompose_reduction(s.get_sblock("reduced"), inner[0])
        return scheduled(s)
