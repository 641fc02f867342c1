"""Normalisation over positions, over packed maps: of each channel by itself, or of groups of channels together.

Three steps: mean and summed squares of each channel, a task for each chunk; from them a factor and a summand for each
channel, of its group's mean and variance (Chan, Golub and LeVeque, 1979); and these over all positions.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import Any

from cnndsl.backends.tvm.kernels.words.demand import Demand, passes
from cnndsl.backends.tvm.kernels.words.functions import finish
from cnndsl.backends.tvm.kernels.words.nest import Nest
from cnndsl.backends.tvm.plan.groups import Tail

_PIECE = 64
"""How many positions a task of the last step has."""


@dataclass(frozen=True)
class GroupNorm:
    """Arguments: input `(batch, chunks, *size, lanes)`, scale and shift `(chunks, lanes)`, output like the input."""

    batch: int
    channels: int
    groups: int
    size: tuple[int, ...]
    lanes: int
    eps: float
    tail: Tail

    def demand(self, threads: int) -> Demand:
        """What a call takes: three passes over the map."""
        vectors = self.batch * -(-self.channels // self.lanes) * prod(self.size) / threads
        short, long = passes(self.tail)
        return Demand(
            "GroupNorm", 3 * vectors, self.batch * self.groups, vectors * (1 + short), vectors * long, regions=2
        )

    def prim_func(self) -> Any:
        """The function, as loops."""
        n, positions, chunks = Nest(self.lanes), prod(self.size), -(-self.channels // self.lanes)
        with n.function():
            shape = (self.batch, chunks, *self.size, self.lanes)
            flat = (self.batch, chunks, positions, self.lanes)
            whole = n.argument("data", shape)
            scale, shift = (n.argument(name, (chunks, self.lanes)) for name in ("scale", "shift"))
            out = n.argument("result", shape)
            data, result = n.flattened(whole, flat), n.flattened(out, flat)
            means, squares = (n.local((self.batch, chunks, self.lanes)) for _ in range(2))
            factors, summands = (n.local((self.batch, chunks, self.lanes)) for _ in range(2))
            with n.parallel(self.batch * chunks) as task:
                at = (task // chunks, task % chunks)
                self._measure(n, data, means, squares, at)
                # Lanes behind the channels are in no group.
                with n.vector() as lane:
                    n.store(factors, n.number(0), (*at, lane))
                    n.store(summands, n.number(0), (*at, lane))
            with n.serial(self.batch * self.groups) as group:
                self._combine(n, (scale, shift), (means, squares), (factors, summands), group)
            pieces = -(-positions // _PIECE)
            with n.parallel(self.batch * chunks * pieces) as task, n.serial(_PIECE) as inner:
                image, c = task // (chunks * pieces), task // pieces % chunks
                p = n.bind(task % pieces * _PIECE + inner)
                with n.when(p < positions, positions % _PIECE != 0), n.vector() as lane:
                    value = data[image, c, p, lane] * factors[image, c, lane] + summands[image, c, lane]
                    n.store(result, finish(n.tir, value, self.tail, []), (image, c, p, lane))
        return n.finished()

    def _measure(self, n: Nest, data: Any, means: Any, squares: Any, at: tuple[Any, Any]) -> None:
        """The mean of each channel of a chunk, then the sum of its squares around it, both summed eight positions at a
        time, so that additions do not wait for each other."""
        positions, whole = prod(self.size), n.number(1 / prod(self.size))
        mean = n.local((self.lanes,))

        def summed(value: Any, into: Any) -> None:
            sums = n.local((8, self.lanes))
            n.clear([sums])
            for first, count, width in ((0, positions // 8, 8), (positions // 8 * 8, 1, positions % 8)):
                if count and width:
                    with n.serial(count) as block, n.vector() as lane:
                        for i in range(width):
                            n.store(sums, sums[i, lane] + value(first + block * width + i, lane), (i, lane))
            with n.vector() as lane:
                total = sums[0, lane]
                for i in range(1, 8):
                    total = total + sums[i, lane]
                into(lane, total)

        summed(lambda p, lane: data[(*at, p, lane)], lambda lane, total: n.store(mean, total * whole, (lane,)))

        def squared(p: Any, lane: Any) -> Any:
            centred = data[(*at, p, lane)] - mean[lane]
            return centred * centred

        summed(squared, lambda lane, total: n.store(squares, total, (*at, lane)))
        with n.vector() as lane:
            n.store(means, mean[lane], (*at, lane))

    def _combine(self, n: Nest, affine: Any, measured: Any, made: Any, group: Any) -> None:
        (scale, shift), (means, squares), (factors, summands) = affine, measured, made
        width, positions = self.channels // self.groups, prod(self.size)
        image, first = n.bind(group // self.groups), n.bind(group % self.groups * width)
        sums = n.local((2,))

        def place(i: Any) -> tuple[Any, Any]:
            return (first + i) // self.lanes, (first + i) % self.lanes

        n.store(sums, n.number(0), (0,))
        n.store(sums, n.number(0), (1,))
        with n.serial(width) as i:
            n.store(sums, sums[0] + means[(image, *place(i))] * n.number(1 / width), (0,))
        with n.serial(width) as i:
            apart = means[(image, *place(i))] - sums[0]
            n.store(sums, sums[1] + squares[(image, *place(i))] + apart * apart * n.number(positions), (1,))
        variance = sums[1] * n.number(1 / (width * positions))
        factor = n.bind(n.number(1) / n.tir.sqrt(variance + n.number(self.eps)))
        with n.serial(width) as i:
            own = n.bind(factor * scale[place(i)])
            n.store(factors, own, (image, *place(i)))
            n.store(summands, shift[place(i)] - sums[0] * own, (image, *place(i)))
