"""Sums and products of maps of whole numbers, and batch norms that found no convolution, on any processor."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import Any, Literal

from cnndsl.backends.tvm.kernels.words.portable_quads import PortableQuadNest, Rescaled

_PIECE = 64
"""Positions of a task, at the most."""


@dataclass(frozen=True)
class QuantizedElementwise:
    """Arguments: one map of quads (`norm`) or two (`sum`, and `scaled`, their product) `(batch, chunks, *size, lanes // 4)`, the
    second with `gate` of one position; factor, offset `(chunks, lanes)`, scalars as in `Rescaled`; zeros int32 `(2,)`: the
    zero points of the maps; result in quads."""

    kind: Literal["sum", "scaled", "norm"]
    batch: int
    chunks: int
    size: tuple[int, ...]
    lanes: int
    gate: bool
    vectors: bool

    def prim_func(self) -> Any:
        """The function, as loops."""
        n, positions = PortableQuadNest(self.lanes, self.vectors), prod(self.size)
        piece = -(-positions // -(-positions // _PIECE))
        pieces = -(-positions // piece)
        shape, flat = (self.batch, self.chunks, *self.size), (self.batch, self.chunks, positions)
        ones = tuple(1 for _ in self.size)
        with n.function():
            maps = [n.whole("data", (*shape, n.words))]
            if self.kind != "norm":
                maps.append(n.whole("other", (*((*shape[:2], *ones) if self.gate else shape), n.words)))
            rescaled = Rescaled(n, (self.chunks,), 2 if self.kind == "sum" else 0)
            zeros = n.whole("zeros", (2,))
            result = n.whole("result", (*shape, n.words))
            with n.block(), n.instructions():
                a = n.viewed(maps[0], (*flat, n.words))
                made = n.viewed(result, (*flat, n.words))
                b = n.viewed(maps[1], (*flat[:2], 1 if self.gate else positions, n.words)) if maps[1:] else None
                with n.parallel(self.batch * self.chunks * pieces) as task, n.serial(piece) as inner:
                    image, chunk = task // (self.chunks * pieces), n.bind(task // pieces % self.chunks)
                    position = n.bind(task % pieces * piece + inner)
                    with n.when(position < positions, positions % piece != 0):
                        self._position(n, a, b, rescaled, zeros, made, (image, chunk, position))
        return n.finished()

    def _position(
        self, n: PortableQuadNest, a: Any, b: Any, rescaled: Rescaled, zeros: Any, made: Any, at: tuple[Any, ...]
    ) -> None:
        other = (*at[:2], 0) if self.gate else at

        def sums(lane: Any) -> Any:
            if self.kind == "sum":
                return None
            number = n.numbers(a, at, lane) - n.spread(zeros[0])
            return number if b is None else number * (n.numbers(b, other, lane) - n.spread(zeros[1]))

        def added(lane: Any) -> list[Any]:
            return [n.numbers(a, at, lane), n.numbers(b, other, lane)] if self.kind == "sum" else []

        rescaled.stored(made, at, (at[1],), sums, added)


@dataclass(frozen=True)
class QuantizedTable:
    """A table of 256 numbers looked up for each number. Arguments: quads of any shape, the table int32 `(256,)`, result in quads."""

    shape: tuple[int, ...]

    def prim_func(self) -> Any:
        """The function, as loops."""
        n, quads = PortableQuadNest(4, vectors=False), prod(self.shape)
        piece = min(quads, 1024)
        tasks = -(-quads // piece)
        with n.function():
            data, table = n.whole("data", self.shape), n.whole("table", (256,))
            result = n.whole("result", self.shape)
            with n.block():
                flat, made = n.viewed(data, (quads,)), n.viewed(result, (quads,))
                with n.parallel(tasks) as task, n.serial(piece) as inner:
                    at = n.bind(task * piece + inner)
                    with n.when(at < quads, quads % piece != 0):
                        quad = n.bind(flat[at])
                        found = table[n.byte(quad, 0)]
                        for place in range(1, 4):
                            found = found | table[n.byte(quad, place)] << (8 * place)
                        n.store(made, found, (at,))
        return n.finished()
