"""Packing and unpacking: between a plain tensor and chunks of channels."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import Any

from cnndsl.backends.tvm.kernels.words.finished import scheduled
from cnndsl.backends.tvm.kernels.words.nest import Nest
from cnndsl.backends.tvm.library import load_tvm

_NEAR = 1 << 15
"""How many numbers a task moves: positions times channels."""


@dataclass(frozen=True)
class Repack:
    """`pack` fills the last chunk up with zeros, otherwise they are dropped. Arguments: input, output."""

    pack: bool
    batch: int
    channels: int
    size: tuple[int, ...]
    lanes: int
    shuffles: bool
    """Whether numbers change places in registers, or are moved one by one, as C source has to."""
    channel_axis: int = 0

    @property
    def _chunks(self) -> int:
        return -(-self.channels // self.lanes)

    def prim_func(self) -> Any:
        """The function. Where channels come first they are far apart in one form, positions in the other: squares of
        both are transposed in registers."""
        return self._by_squares() if self.shuffles and self.channel_axis == 0 and self.size else self._by_elements()

    def _by_squares(self) -> Any:
        n, lanes, positions = Nest(self.lanes), self.lanes, prod(self.size)
        plain, packed = (self.batch, self.channels, *self.size), (self.batch, self._chunks, *self.size, lanes)
        squares, rest = divmod(positions, lanes)
        together = max(1, min(squares, _NEAR // (lanes * lanes * self._chunks)))
        tasks = -(-squares // together)
        with n.function():
            data = n.argument("data", plain if self.pack else packed)
            result = n.argument("result", packed if self.pack else plain)
            sides = (data, result) if self.pack else (result, data)
            with n.block():
                flat = (
                    n.flattened(sides[0], (*plain[:2], positions)),
                    n.flattened(sides[1], (*packed[:2], positions, lanes)),
                )
                if squares:
                    whole, last = divmod(self.channels, lanes)
                    with n.parallel(self.batch * tasks) as task, n.serial(together) as inner:
                        square = n.bind(task % tasks * together + inner)
                        with n.when(square < squares, squares % together != 0):
                            if whole:
                                with n.serial(whole) as chunk:
                                    self._square(n, *flat, (task // tasks, chunk), square * lanes, lanes)
                            if last:
                                self._square(n, *flat, (task // tasks, whole), square * lanes, last)
                if rest:
                    with n.parallel(self.batch * self._chunks) as task, n.serial(rest) as p, n.serial(lanes) as lane:
                        self._element(n, *flat, task // self._chunks, task % self._chunks, squares * lanes + p, lane)
        return n.finished()

    def _square(self, n: Nest, plain: Any, packed: Any, at: tuple[Any, Any], position: Any, channels: int) -> None:
        """The first `channels` channels of a chunk at as many positions as there are lanes."""
        image, chunk = at
        count, zeros = self.lanes, n.tir.Broadcast(n.number(0), self.lanes)

        def near(i: int) -> tuple[Any, ...]:
            return image, chunk * count + i, n.ramp(position)

        def far(i: int) -> tuple[Any, ...]:
            return image, chunk, position + i, n.ramp(0)

        if self.pack:
            rows = [n.bind(plain[near(i)]) if i < channels else zeros for i in range(count)]
            for i, row in enumerate(transposed(n, rows)):
                n.store(packed, row, far(i))
        else:
            rows = transposed(n, [n.bind(packed[far(i)]) for i in range(count)])
            for i in range(channels):
                n.store(plain, rows[i], near(i))

    def _element(self, n: Nest, plain: Any, packed: Any, image: Any, chunk: Any, position: Any, lane: Any) -> None:
        channel, ragged = chunk * self.lanes + lane, self.channels % self.lanes != 0
        near, far = (image, channel, position), (image, chunk, position, lane)
        if self.pack:
            n.store(packed, n.select(channel < self.channels, plain[near]) if ragged else plain[near], far)
        else:
            with n.when(channel < self.channels, ragged):
                n.store(plain, packed[far], near)

    def _by_elements(self) -> Any:
        tvm = load_tvm()
        te, tir, lanes = tvm.te, tvm.tirx, self.lanes
        axis = 1 + self.channel_axis
        plain = (self.batch, *self.size[: axis - 1], self.channels, *self.size[axis - 1 :])
        packed = (self.batch, -(-self.channels // lanes), *self.size, lanes)
        data = te.placeholder(plain if self.pack else packed, name="data")

        def packing(n: Any, c: Any, *rest: Any) -> Any:
            *places, lane = rest
            inside = c * lanes + lane < self.channels
            channel = tir.min(c * lanes + lane, self.channels - 1)
            value = data(n, *places[: axis - 1], channel, *places[axis - 1 :])
            return value if self.channels % lanes == 0 else tir.if_then_else(inside, value, tir.const(0, "float32"))

        def unpacking(*i: Any) -> Any:
            return data(i[0], i[axis] // lanes, *i[1:axis], *i[axis + 1 :], i[axis] % lanes)

        result = te.compute(packed if self.pack else plain, packing if self.pack else unpacking, name="result")
        s = tvm.s_tir.Schedule(te.create_prim_func([data, result]))
        s.parallel(s.fuse(*s.get_loops(s.get_sblock("result"))[: 1 + len(self.size)]))
        return scheduled(s)


def transposed(n: Nest, rows: list[Any]) -> list[Any]:
    """Row i of the result holds place i of every row. For each bit, what has it in one of row and place alone changes
    sides."""
    count = len(rows)
    bit = 1
    while bit < count:
        mixed = list(rows)
        for i in range(count):
            if not i & bit:
                pair = [rows[i], rows[i | bit]]
                mixed[i] = n.bind(n.shuffled(pair, [count + p - bit if p & bit else p for p in range(count)]))
                mixed[i | bit] = n.bind(n.shuffled(pair, [count + p if p & bit else p + bit for p in range(count)]))
        rows, bit = mixed, 2 * bit
    return rows
