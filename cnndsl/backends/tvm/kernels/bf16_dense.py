"""Fully connected layer with bfloat16 factors and float32 sums."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from cnndsl.backends.tvm.kernels.words.demand import Demand, passes, share
from cnndsl.backends.tvm.kernels.words.functions import finish
from cnndsl.backends.tvm.kernels.words.pairs import LANES, PairNest
from cnndsl.backends.tvm.plan.groups import Tail


@dataclass(frozen=True)
class Bf16Dense:
    """Arguments: input `(batch, inputs)` in float32, weight in pairs `(blocks, inputs/2, vectors, 16)`, bias `(blocks,
    vectors, 16)`, output `(batch, blocks, vectors, 16)`. `inputs` is even."""

    batch: int
    inputs: int
    blocks: int
    vectors: int
    tail: Tail

    def demand(self, threads: int) -> Demand:
        """What a call takes."""
        work = self.batch * self.inputs / 2 * self.blocks * max(self.vectors, 4) * share(self.blocks, threads)
        short, long = passes(self.tail)
        vectors = self.batch * self.blocks * self.vectors / threads
        return Demand("Bf16Dense", work, 0, vectors * (1 + short), vectors * long)

    def prim_func(self) -> Any:
        """The function."""
        n, half = PairNest(), self.inputs // 2
        with n.function():
            data = n.argument("data", (self.batch, self.inputs))
            weight = n.pairs("weight", (self.blocks, half, self.vectors, LANES))
            bias = n.argument("bias", (self.blocks, self.vectors, LANES))
            result = n.argument("result", (self.batch, self.blocks, self.vectors, LANES))
            with n.block(), n.instructions():
                pairs = n.local_pairs((self.batch, half))
                with n.serial(self.batch) as image, n.serial(half) as i:
                    n.store(pairs, n.pair(data[image, 2 * i], data[image, 2 * i + 1]), (image, i))
                with n.parallel(self.blocks) as block, n.serial(self.batch) as image:
                    self._block(n, pairs, weight, bias, result, image, block)
        return n.finished()

    def _block(self, n: PairNest, pairs: Any, weight: Any, bias: Any, result: Any, image: Any, block: Any) -> None:
        # Two sums for each vector, of alternate pairs: one alone would wait for the latency of a dot product.
        turns = 2 if self.inputs % 4 == 0 else 1
        sums = n.local((turns * self.vectors, LANES))
        n.clear([sums])
        with n.serial(self.inputs // 2 // turns) as i:
            for turn in range(turns):
                number = n.bind(n.spread(pairs[image, turns * i + turn]))
                for v in range(self.vectors):
                    at = (turn * self.vectors + v, n.ramp(0))
                    n.store(sums, n.dot(sums[at], weight[block, turns * i + turn, v, n.ramp(0)], number), at)
        for v in range(self.vectors):
            with n.vector() as lane:
                total = sums[v, lane] if turns == 1 else sums[v, lane] + sums[self.vectors + v, lane]
                value = finish(n.tir, total + bias[block, v, lane], self.tail, [])
                n.store(result, value, (image, block, v, lane))
