"""What normalises the channels of each position by themselves, over packed maps: by mean and variance, by their mean
square, to length one, and to probabilities.

One task is a piece of the positions. The channels of a position are read chunk by chunk: sums run lane by lane and are
added up at the end.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import Any

from cnndsl.backends.tvm.kernels.words.demand import Demand
from cnndsl.backends.tvm.kernels.words.functions import Functions
from cnndsl.backends.tvm.kernels.words.nest import Nest
from cnndsl.ir.op import PerPosition

_PIECE = 16
"""How many positions a task has."""
_LEAST = 1e-12
"""Shorter vectors are divided by this length, as in PyTorch."""


@dataclass(frozen=True)
class PositionNorm:
    """Arguments: input `(batch, chunks, *size, lanes)`; but for `softmax` scale and shift `(chunks, lanes)`, zeros
    behind the channels; output like the input. What lies behind the channels of the input does not count."""

    kind: PerPosition
    batch: int
    channels: int
    size: tuple[int, ...]
    lanes: int
    eps: float = 0.0

    @property
    def chunks(self) -> int:
        return -(-self.channels // self.lanes)

    def demand(self, threads: int) -> Demand:
        """What a call takes: three passes over the map, and with `softmax` an exponential of each number."""
        vectors = self.batch * self.chunks * prod(self.size) / threads
        heavy = vectors if self.kind == "softmax" else 0.0
        return Demand("PositionNorm", 3 * vectors, self.batch * prod(self.size) / threads, vectors, heavy)

    def prim_func(self) -> Any:
        """The function, as loops."""
        n, positions = Nest(self.lanes), prod(self.size)
        with n.function():
            shape, flat = (
                (self.batch, self.chunks, *self.size, self.lanes),
                (self.batch, self.chunks, positions, self.lanes),
            )
            data = n.argument("data", shape)
            affine = self.kind != "softmax"
            scale = n.argument("scale", (self.chunks, self.lanes)) if affine else None
            shift = n.argument("shift", (self.chunks, self.lanes)) if affine else None
            result = n.argument("result", shape)
            pieces = -(-positions // _PIECE)
            with n.block():
                data, result = n.flattened(data, flat), n.flattened(result, flat)
                with n.parallel(self.batch * pieces) as task, n.serial(_PIECE) as inner:
                    position = n.bind(task % pieces * _PIECE + inner)
                    with n.when(position < positions, positions % _PIECE != 0):
                        at = (task // pieces, position)
                        if affine:
                            self._normalised(n, data, scale, shift, result, at)
                        else:
                            self._shares(n, data, result, at)
        return n.finished()

    def _normalised(self, n: Nest, data: Any, scale: Any, shift: Any, result: Any, at: tuple[Any, Any]) -> None:
        image, p = at
        mean = n.number(0)
        if self.kind == "mean and variance":
            mean = n.bind(self._total(n, lambda c, lane: data[image, c, p, lane]) * n.number(1 / self.channels))

        def square(c: Any, lane: Any) -> Any:
            centred = data[image, c, p, lane] - mean
            return self._counted(n, c, lane, centred * centred, 0.0)

        squares = self._total(n, square)
        if self.kind == "length":
            factor = n.bind(n.number(1) / n.tir.max(n.tir.sqrt(squares), n.number(_LEAST)))
        else:
            factor = n.bind(n.number(1) / n.tir.sqrt(squares * n.number(1 / self.channels) + n.number(self.eps)))
        with n.serial(self.chunks) as c, n.vector() as lane:
            value = (data[image, c, p, lane] - mean) * factor * scale[c, lane] + shift[c, lane]
            n.store(result, value, (image, c, p, lane))

    def _shares(self, n: Nest, data: Any, result: Any, at: tuple[Any, Any]) -> None:
        image, p = at
        lowest = float(n.tir.min_value("float32").value)

        def counted(c: Any, lane: Any) -> Any:
            return self._counted(n, c, lane, data[image, c, p, lane], lowest)

        most = n.bind(self._reduced(n, counted, n.tir.max, lowest))
        with n.serial(self.chunks) as c, n.vector() as lane:
            power = Functions(n.tir).exp(data[image, c, p, lane] - most)
            n.store(result, self._counted(n, c, lane, power, 0.0), (image, c, p, lane))
        factor = n.bind(n.number(1) / self._total(n, lambda c, lane: result[image, c, p, lane]))
        with n.serial(self.chunks) as c, n.vector() as lane:
            n.store(result, result[image, c, p, lane] * factor, (image, c, p, lane))

    def _counted(self, n: Nest, c: Any, lane: Any, value: Any, otherwise: float) -> Any:
        """The value, or another behind the channels."""
        if self.channels % self.lanes == 0:
            return value
        return n.tir.Select(c * self.lanes + lane < self.channels, value, n.number(otherwise))

    def _total(self, n: Nest, value: Any) -> Any:
        return self._reduced(n, lambda c, lane: self._counted(n, c, lane, value(c, lane), 0.0), lambda a, b: a + b, 0.0)

    def _reduced(self, n: Nest, value: Any, combine: Any, start: float) -> Any:
        """One number from all channels: lane by lane, then the lanes in a tree."""
        lanes = n.local((self.lanes,))
        with n.vector() as lane:
            n.store(lanes, n.number(start), (lane,))
        with n.serial(self.chunks) as c, n.vector() as lane:
            n.store(lanes, combine(lanes[lane], value(c, lane)), (lane,))
        left = [lanes[i] for i in range(self.lanes)]
        while len(left) > 1:
            left = [combine(left[i], left[i + 1]) for i in range(0, len(left), 2)]
        return left[0]
