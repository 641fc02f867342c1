"""Between real numbers and whole ones: `clamp(rint(fma(x, 1 / scale, zero_point)), 0, 255)`, and `(q - zero_point) · scale`."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import Any

from cnndsl.backends.tvm.kernels.words.portable_quads import PortableQuadNest


@dataclass(frozen=True)
class QuantizeMap:
    """Arguments: a map, plain float32 `(batch, channels, *size)` or packed `(batch, chunks, *size, lanes)`; float32 `(2,)`: one
    over the scale, and the zero point; result in quads `(batch, chunks, *size, lanes // 4)`. Channels beyond the last have
    the zero point, or of a packed map whatever it has there."""

    batch: int
    channels: int
    size: tuple[int, ...]
    lanes: int
    packed: bool
    vectors: bool

    def prim_func(self) -> Any:
        """The function, as loops: a task for each row."""
        n, positions = PortableQuadNest(self.lanes, self.vectors), prod(self.size)
        chunks = -(-self.channels // self.lanes)
        width = self.size[-1] if self.size else 1
        shape = (self.batch, chunks, *self.size)
        plain = (self.batch, self.channels, *self.size)
        with n.function():
            data = n.argument("data", (*shape, self.lanes) if self.packed else plain)
            scale = n.argument("scale", (2,))
            result = n.whole("result", (*shape, n.words))
            with n.block(), n.instructions():
                source = n.flattened(
                    data,
                    (self.batch, chunks, positions, self.lanes)
                    if self.packed
                    else (self.batch, self.channels, positions),
                )
                made = n.viewed(result, (self.batch, chunks, positions, n.words))
                with n.parallel(self.batch * chunks * (positions // width)) as task, n.serial(width) as x:
                    rows = chunks * (positions // width)
                    image, chunk = task // rows, n.bind(task // (positions // width) % chunks)
                    at = n.bind(task % (positions // width) * width + x)
                    if self.packed:
                        self._chunk(n, source, scale, made, (image, chunk, at))
                    else:
                        for word in range(n.words):
                            self._word(n, source, scale, made, (image, chunk, at), word)
        return n.finished()

    def _chunk(self, n: PortableQuadNest, source: Any, scale: Any, made: Any, at: tuple[Any, ...]) -> None:
        low, high = n.spread(n.number(0)), n.spread(n.number(255))

        def number(lane: Any) -> Any:
            return n.rounded(n.fma(source[(*at, lane)], n.spread(scale[0]), n.spread(scale[1])), low, high)

        n.store_rounded(made, at, number)

    def _word(self, n: PortableQuadNest, source: Any, scale: Any, made: Any, at: tuple[Any, ...], word: int) -> None:
        image, chunk, position = at
        whole, rest = divmod(self.channels, self.lanes)
        several = whole + bool(rest) > 1

        def quad(most: int) -> Any:
            """A quad of the first `most` channels of the chunk."""
            found = None
            for place in range(4):
                c = 4 * word + place
                if c < most:
                    x = source[image, chunk * self.lanes + c, position]
                    v = n.fused(x, scale[0], scale[1], "float32", llvm=self.vectors)
                    number = n.tir.min(n.tir.max(n.tir.nearbyint(v), n.number(0)), n.number(255)).astype("int32")
                else:
                    number = scale[1].astype("int32")
                found = number if found is None else found | number << (8 * place)
            return found

        def store(most: int) -> None:
            n.store(made, quad(most), (*at, word))

        if rest and several:
            n.either(chunk == whole, lambda: store(rest), lambda: store(self.lanes))
        else:
            store(rest or self.lanes)


@dataclass(frozen=True)
class QuantizeVector:
    """Arguments: float32 `(batch, numbers)`; float32 `(2,)`: one over the scale, and the zero point; result in quads `(batch,
    numbers / 4 rounded up)`, the last filled up with the zero point."""

    batch: int
    numbers: int
    vectors: bool

    def prim_func(self) -> Any:
        """The function, as loops."""
        n = PortableQuadNest(4, vectors=False)
        quads = -(-self.numbers // 4)
        with n.function():
            data, scale = n.argument("data", (self.batch, self.numbers)), n.argument("scale", (2,))
            result = n.whole("result", (self.batch, quads))
            with n.block(), n.parallel(self.batch) as image, n.serial(quads) as q:
                found = n.whole_number(0)
                for place in range(4):
                    at = q * 4 + place
                    v = n.fused(
                        data[image, n.tir.min(at, self.numbers - 1)], scale[0], scale[1], "float32", llvm=self.vectors
                    )
                    number = n.tir.min(n.tir.max(n.tir.nearbyint(v), n.number(0)), n.number(255)).astype("int32")
                    number = n.tir.Select(at < self.numbers, number, scale[1].astype("int32"))
                    found = found | number << (8 * place)
                n.store(result, found, (image, q))
        return n.finished()


@dataclass(frozen=True)
class DequantizeMap:
    """Arguments: quads `(batch, chunks, *size, lanes // 4)`; zero point int32 `(1,)`; scale float32 `(1,)`; result, plain float32
    `(batch, channels, *size)` or packed `(batch, chunks, *size, lanes)`."""

    batch: int
    channels: int
    size: tuple[int, ...]
    lanes: int
    packed: bool
    vectors: bool

    def prim_func(self) -> Any:
        """The function, as loops."""
        n, positions = PortableQuadNest(self.lanes, self.vectors), prod(self.size)
        chunks = -(-self.channels // self.lanes)
        shape = (self.batch, chunks, *self.size)
        with n.function():
            data = n.whole("data", (*shape, n.words))
            zero, scale = n.whole("zero", (1,)), n.argument("scale", (1,))
            result = n.argument(
                "result", (*shape, self.lanes) if self.packed else (self.batch, self.channels, *self.size)
            )
            with n.block(), n.instructions():
                source = n.viewed(data, (self.batch, chunks, positions, n.words))
                if self.packed:
                    made = n.flattened(result, (self.batch, chunks, positions, self.lanes))
                    with n.parallel(self.batch * chunks) as task, n.serial(positions) as p:
                        at = (task // chunks, task % chunks, p)
                        with n.each() as lane:
                            number = n.numbers(source, at, lane) - n.spread(zero[0])
                            n.store(made, n.real(number) * n.spread(scale[0]), (*at, lane))
                else:
                    made = n.flattened(result, (self.batch, self.channels, positions))
                    with n.parallel(self.batch * self.channels) as task, n.serial(positions) as p:
                        image, c = task // self.channels, n.bind(task % self.channels)
                        quad = source[image, c // self.lanes, p, c % self.lanes // 4]
                        number = n.byte(quad, c % 4) - zero[0]
                        n.store(made, number.astype("float32") * scale[0], (image, c, p))
        return n.finished()


@dataclass(frozen=True)
class DequantizeVector:
    """Arguments: quads `(batch, numbers / 4 rounded up)`; zero point int32 `(1,)`; scale float32 `(1,)`; result float32 `(batch,
    numbers)`."""

    batch: int
    numbers: int

    def prim_func(self) -> Any:
        """The function, as loops."""
        n = PortableQuadNest(4, vectors=False)
        with n.function():
            data = n.whole("data", (self.batch, -(-self.numbers // 4)))
            zero, scale = n.whole("zero", (1,)), n.argument("scale", (1,))
            result = n.argument("result", (self.batch, self.numbers))
            with n.block(), n.parallel(self.batch) as image, n.serial(self.numbers) as i:
                number = n.byte(data[image, i // 4], i % 4) - zero[0]
                n.store(result, number.astype("float32") * scale[0], (image, i))
        return n.finished()
