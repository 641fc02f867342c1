"""Sums and products of maps of whole numbers, lone batch norms, and tables, four positions at a time."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from math import prod
from typing import Any, Literal

from cnndsl.backends.tvm.kernels.words.ending import Ending, Endings
from cnndsl.backends.tvm.kernels.words.quads import QuadNest

_STEPS = 64
"""Steps of a task, at the most: each is four positions."""


@dataclass(frozen=True)
class Int8Elementwise:
    """Arguments by kind: of a `norm` the map, of `scaled` both maps, of a `sum` none; all but a sum then zeros int32
    `(maps,)`, the zero points of the maps; then those of the ending (`Endings.declared`): factors and offsets float32
    `(chunks, lanes)`; with residuals their factors float32 `(residuals,)` and the maps; with a table quads `(64,)`; output
    quads, or float32 `(batch, chunks, *size, lanes)` where it is real. A sum is of the residuals of its ending.

    Maps are quads `(batch, chunks, *size, lanes / 4)`; with `gate` the second of `scaled` has one position."""

    kind: Literal["sum", "scaled", "norm"]
    batch: int
    chunks: int
    size: tuple[int, ...]
    lanes: int
    gate: bool
    ending: Ending

    def prim_func(self) -> Any:
        """The function, as loops."""
        n, positions = QuadNest(self.lanes), prod(self.size)
        shape, flat = (self.batch, self.chunks, *self.size), (self.batch, self.chunks, positions)
        ones = tuple(1 for _ in self.size)
        with n.function():
            maps = [] if self.kind == "sum" else [n.whole("data", (*shape, n.quads))]
            if self.kind == "scaled":
                maps.append(n.whole("other", (*((*shape[:2], *ones) if self.gate else shape), n.quads)))
            zeros = n.whole("zeros", (len(maps),)) if maps else None
            endings = Endings.declared(n, self.ending, shape)
            with n.block(), n.instructions():
                lengths = [positions, 1 if self.gate else positions]
                maps = [n.reshaped(m, (*flat[:2], p, n.quads)) for m, p in zip(maps, lengths, strict=False)]
                ends = endings.flat()
                with _steps(n, self.batch * self.chunks, positions) as (of, start, width):
                    image, chunk = n.bind(of // self.chunks), n.bind(of % self.chunks)
                    gate = n.bind(self._number(n, maps[1], zeros, 1, (image, chunk, 0))) if self.gate else None

                    def sums(i: int) -> Any:
                        at = (image, chunk, start + i)
                        number = self._number(n, maps[0], zeros, 0, at)
                        if self.kind == "norm":
                            return number
                        # The product of two numbers of nine bits is exact in float32.
                        return number * (gate if gate is not None else self._number(n, maps[1], zeros, 1, at))

                    def place(i: int) -> tuple[Any, ...]:
                        return image, chunk, start + i

                    ends.store(sums, width, place, "exact" if maps else "offsets")
        return n.finished()

    @staticmethod
    def _number(n: QuadNest, data: Any, zeros: Any, which: int, at: tuple[Any, ...]) -> Any:
        """The numbers of a position less their zero point, float32."""
        numbers = n.widened(data[(*at, n.position())]) - n.spread(zeros[which])
        return n.tir.Cast(f"float32x{n.lanes}", numbers)


@dataclass(frozen=True)
class Int8Table:
    """A table of 256 numbers, looked up for each number. Arguments: quads of any shape as `(quads,)`, a multiple of
    `lanes / 4`; the table, quads `(64,)`; output quads `(quads,)`."""

    quads: int
    lanes: int

    def prim_func(self) -> Any:
        """The function, as loops."""
        n = QuadNest(self.lanes)
        with n.function():
            data, table = n.whole("data", (self.quads,)), n.whole("table", (64,))
            result = n.whole("result", (self.quads,))
            with (
                n.block(),
                n.instructions(),
                _steps(n, 1, self.quads // n.quads) as (_, start, width),
            ):
                together = 4 if width == 4 else 1
                for i in range(0, width, together):
                    at = n.run((start + i) * n.quads, n.quads * together)
                    n.store(result, n.looked_up(data[at], table, together), (at,))
        return n.finished()


@contextmanager
def _steps(n: QuadNest, maps: int, positions: int) -> Iterator[tuple[Any, Any, int]]:
    """What follows for all positions of each map, four at a time: the map, the first position, and how many there are.
    The last four may lie over those before."""
    width = min(4, positions)
    steps = -(-positions // width)
    together = min(steps, _STEPS)
    # The last steps overlap: they belong to one task.
    while steps % together == 1 and together < steps:
        together += 1
    pieces = -(-steps // together)
    with n.parallel(maps * pieces) as task, n.serial(together) as inner:
        step = n.bind(task % pieces * together + inner)
        with n.when(step < steps, steps % together != 0):
            yield n.bind(task // pieces), n.bind(n.minimum(step * width, positions - width)), width
