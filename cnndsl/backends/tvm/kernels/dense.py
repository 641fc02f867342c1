"""Fully connected layer: one task computes `vectors` registers of outputs for a few examples of the batch."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Self

from cnndsl.backends.tvm.kernels.words.demand import Demand, passes, share
from cnndsl.backends.tvm.kernels.words.finished import scheduled
from cnndsl.backends.tvm.kernels.words.functions import finish
from cnndsl.backends.tvm.library import load_tvm
from cnndsl.backends.tvm.plan.groups import Tail


@dataclass(frozen=True)
class Dense:
    """Arguments: input `(batch, inputs)`, weight `(blocks, inputs, vectors, lanes)`, bias `(blocks, vectors, lanes)`,
    output `(batch, blocks, vectors, lanes)`."""

    batch: int
    inputs: int
    blocks: int
    vectors: int
    lanes: int
    tail: Tail

    def candidates(self) -> tuple[Self, ...]:
        """Itself, then others with other numbers of registers in a task. These decide how weights are packed: the
        emitter asks for them."""
        outputs = self.blocks * self.vectors
        tried = [v for v in (4, 2, 3, 6, 8, 1) if v != self.vectors and outputs % v == 0]
        return (self, *(replace(self, blocks=outputs // v, vectors=v) for v in tried))

    def demand(self, threads: int) -> Demand:
        """What a call takes."""
        work = self.batch * self.inputs * self.blocks * max(self.vectors, 4) * share(self.blocks, threads)
        short, long = passes(self.tail)
        vectors = self.batch * self.blocks * self.vectors / threads
        return Demand("Dense", work, 0, vectors * (1 + short), vectors * long)

    def prim_func(self) -> Any:
        """The scheduled function."""
        tvm = load_tvm()
        te, tir = tvm.te, tvm.tirx
        data = te.placeholder((self.batch, self.inputs), name="data")
        weight = te.placeholder((self.blocks, self.inputs, self.vectors, self.lanes), name="weight")
        bias = te.placeholder((self.blocks, self.vectors, self.lanes), name="bias")
        i = te.reduce_axis((0, self.inputs), name="i")
        out = (self.batch, self.blocks, self.vectors, self.lanes)
        sums = te.compute(out, lambda n, b, v, lane: te.sum(data[n, i] * weight[b, i, v, lane], axis=i), name="sums")
        result = te.compute(
            out, lambda n, b, v, lane: finish(tir, sums[n, b, v, lane] + bias[b, v, lane], self.tail, []), name="result"
        )
        schedule = tvm.s_tir.Schedule(te.create_prim_func([data, weight, bias, result]))
        self._schedule(schedule)
        return scheduled(schedule)

    def _schedule(self, s: Any) -> None:
        sums, result = s.get_sblock("sums"), s.get_sblock("result")
        n, block, vector, lane = s.get_loops(result)
        # Examples that share a pass over the weights; with four vectors each they stay in registers.
        together = max(d for d in (1, 2, 3) if self.batch % d == 0)
        n_outer, n_tile = s.split(n, [None, together])
        s.reorder(block, n_outer, n_tile, vector, lane)
        s.parallel(block)
        s.compute_at(sums, n_outer, preserve_unit_loops=True)
        s.unroll(n_tile)
        s.unroll(vector)
        s.vectorize(lane)
        *_, n_in, block_in, vector_in, lane_in, i = s.get_loops(sums)
        i_outer, i_inner = s.split(i, [None, 4 if self.inputs % 4 == 0 else 1])
        s.reorder(block_in, i_outer, i_inner, n_in, vector_in, lane_in)
        for loop in (i_inner, n_in, vector_in):
            s.unroll(loop)
        s.vectorize(lane_in)
        s.decompose_reduction(sums, i_outer)
