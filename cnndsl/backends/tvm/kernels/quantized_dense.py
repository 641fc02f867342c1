"""Fully connected layers of whole numbers on any processor."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from cnndsl.backends.tvm.kernels.words.portable_quads import PortableQuadNest, Rescaled


@dataclass(frozen=True)
class QuantizedDense:
    """Arguments: input quads `(batch, quads)`; weights int32 `(blocks, quads, count, lanes)`, without vectors int8 `(blocks,
    quads, count, 4, lanes)`; with vectors what the sums begin with, int32 `(blocks, count, lanes)`; factor, offset `(blocks,
    count, lanes)` and scalars as in `Rescaled`; zero int32 `(2,)`: the zero point, and a quad of it; result, quads or with
    `rounds` false float32 `(batch, blocks, count, lanes)`."""

    batch: int
    quads: int
    blocks: int
    count: int
    """Chunks of outputs in a block, which are summed side by side."""
    lanes: int
    rounds: bool
    vectors: bool

    def prim_func(self) -> Any:
        """The function, as loops: a task for each block."""
        n = PortableQuadNest(self.lanes, self.vectors)
        shape = (self.blocks, self.count)
        with n.function():
            data = n.whole("data", (self.batch, self.quads))
            weight = n.weights("weight", (self.blocks, self.quads, self.count))
            start = n.whole("start", (*shape, self.lanes)) if self.vectors else None
            rescaled = Rescaled(n, shape, 0, rounds=self.rounds)
            zero = n.whole("zero", (2,))
            result = (
                n.whole("result", (self.batch, *shape, n.words))
                if self.rounds
                else n.argument("result", (self.batch, *shape, self.lanes))
            )
            with n.block(), n.instructions(), n.parallel(self.blocks) as block, n.serial(self.batch) as image:
                sums = n.local_whole((self.count, self.lanes))
                with n.each() as lane:
                    for i in range(self.count):
                        n.store(sums, start[block, i, lane] if start is not None else n.whole_number(0), (i, lane))
                with n.serial(self.quads) as q:
                    quad = n.bind(data[image, q])
                    first, second = n.split(quad)
                    halves = n.bind(first), n.bind(second)
                    with n.each() as lane:
                        for i in range(self.count):
                            at = (block, q, i)
                            if self.vectors:
                                made = n.dot(sums[i, lane], halves, weight, at, lane)
                            else:
                                made = n.dot_of_bytes(sums[i, lane], quad, weight, at, lane, zero[0])
                            n.store(sums, made, (i, lane))
                for i in range(self.count):
                    rescaled.stored(
                        result,
                        (image, block, i),
                        (block, i),
                        lambda lane, i=i: sums[i, lane],  # type: ignore[misc]
                    )
        return n.finished()
