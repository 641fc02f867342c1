"""Real numbers → whole numbers of a few channels, with what lies around the map: the input of a network."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import prod
from typing import Any

from cnndsl.backends.tvm.kernels.words.quads import QuadNest
from cnndsl.quantization.arithmetic import LARGEST


@dataclass(frozen=True)
class Int8Input:
    """Arguments: input float32 `(batch, channels, *size)`, float32 `(1,)`: one by the scale; output quads `(batch, chunks, *padded, quads)`, where `quads` are as many as the channels fill, up to the `lanes / 4`
    of a chunk, and `padded` is the size with `before` and `after` on each axis.

    Around the map, and in channels that fill up the last quad, lies the zero point."""

    batch: int
    channels: int
    size: tuple[int, ...]
    before: tuple[int, ...]
    after: tuple[int, ...]
    zero_point: int
    lanes: int

    @property
    def quads(self) -> int:
        return min(self.lanes // 4, -(-self.channels // 4))

    @property
    def chunks(self) -> int:
        return -(-self.channels // (4 * self.quads))

    @property
    def padded(self) -> tuple[int, ...]:
        return tuple(b + s + a for b, s, a in zip(self.before, self.size, self.after, strict=True))

    def prim_func(self) -> Any:
        """The function, as loops."""
        n = QuadNest(self.lanes)
        with n.function():
            data = n.argument("data", (self.batch, self.channels, *self.size))
            inverse = n.argument("inverse", (1,))
            result = n.whole("result", (self.batch, self.chunks, *self.padded, self.quads))
            with n.block(), n.instructions():
                _Body(self, n, data, inverse, result, n.flat(result)).rows()
        return n.finished()


@dataclass(frozen=True)
class _Body:
    kernel: Int8Input
    n: QuadNest
    data: Any
    inverse: Any
    result: Any
    memory: Any

    def rows(self) -> None:
        k, n = self.kernel, self.n
        above, width = k.padded[:-1], k.size[-1]
        with n.parallel(k.batch * k.chunks * prod(above)) as task:
            rows = [n.bind(task // prod(above[axis + 1 :]) % count) for axis, count in enumerate(above)]
            maps = task // prod(above)
            image, chunk = n.bind(maps // k.chunks), n.bind(maps % k.chunks)
            places = [n.bind(row - b) for row, b in zip(rows, k.before, strict=False)]
            around = [p for b, a in zip(k.before, k.after, strict=True) for p in (b, a)][:-2]
            inside = [c for p, count in zip(places, k.size, strict=False) for c in (p >= 0, p < count)]

            def row() -> None:
                self._zeros(image, chunk, rows, 0, k.before[-1])
                for last in range(k.chunks):
                    with n.when(chunk == last, k.chunks > 1):
                        for quad in range(min(k.quads, -(-k.channels // 4) - last * k.quads)):
                            self._row(image, last, rows, places, quad)
                        for quad in range(-(-k.channels // 4) - last * k.quads, k.quads):
                            with n.serial(width) as x:
                                self._zero((image, last, *rows, k.before[-1] + x, quad))
                self._zeros(image, chunk, rows, k.before[-1] + width, k.after[-1])

            if any(around):
                n.either(n.all(*inside), row, lambda: self._zeros(image, chunk, rows, 0, k.padded[-1]))
            else:
                row()

    def _row(self, image: Any, chunk: int, rows: list[Any], places: list[Any], quad: int) -> None:
        """One quad of channels of a row: a register of positions at a time, the last ones over those before."""
        k, n, width = self.kernel, self.n, self.kernel.size[-1]
        first = (chunk * k.quads + quad) * 4
        channels = range(first, min(first + 4, k.channels))

        def piece(read: Callable[[int], Any], write: Callable[[Any], None]) -> None:
            found = None
            for byte in range(4):
                channel = first + byte
                number = (
                    self._number(read(channel)) if channel in channels else n.spread(n.tir.const(k.zero_point, "int32"))
                )
                placed = number << n.spread(n.tir.const(8 * byte, "int32"))
                found = placed if found is None else found | placed
            write(found)

        def to(start: Any) -> Callable[[Any], None]:
            def write(made: Any) -> None:
                if k.quads == 1:
                    at: Any = 0
                    for count, place in zip(k.padded, (*rows, k.before[-1] + start), strict=True):
                        at = at * count + place
                    n.store(self.memory, made, (n.ramp((image * k.chunks + chunk) * prod(k.padded) + at),))
                else:
                    self._spread_out(made, (image, chunk, *rows), k.before[-1] + start, quad, n.lanes)

            return write

        if width >= n.lanes:
            with n.serial(width // n.lanes) as block:
                start = n.bind(block * n.lanes)
                piece(lambda c: self.data[(image, c, *places, n.ramp(start))], to(start))
            if width % n.lanes:
                last = width - n.lanes
                piece(lambda c: self.data[(image, c, *places, n.ramp(last))], to(last))
            return
        room = n.local((4, n.lanes))
        for channel in channels:
            with n.serial(width) as x:
                n.store(room, self.data[(image, channel, *places, x)], (channel - first, x))
        piece(
            lambda c: room[c - first, n.ramp(0)],
            lambda made: self._spread_out(made, (image, chunk, *rows), k.before[-1], quad, width),
        )

    def _spread_out(self, made: Any, place: tuple[Any, ...], start: Any, quad: int, width: int) -> None:
        """Quads of neighbouring positions, one by one."""
        n = self.n
        room = n.local_sums((n.lanes,))
        n.store(room, made, (n.ramp(0),))
        with n.serial(width) as x:
            n.store(self.result, room[x], (*place, start + x, quad))

    def _number(self, real: Any) -> Any:
        n = self.n
        v = n.fma(real, n.spread(self.inverse[0]), n.spread(n.number(self.kernel.zero_point)))
        v = n.tir.max(v, n.spread(n.number(0)))
        return n.rounded(n.tir.min(v, n.spread(n.number(LARGEST))))

    def _zeros(self, image: Any, chunk: Any, rows: list[Any], start: int, count: int) -> None:
        if not count:
            return
        n = self.n
        with n.serial(count) as x:
            for quad in range(self.kernel.quads):
                self._zero((image, chunk, *rows, start + x, quad))

    def _zero(self, place: tuple[Any, ...]) -> None:
        self.n.store(self.result, self.n.quad(self.kernel.zero_point), place)
