"""Numbers that only change places, in maps of quads: channels, positions, and channels that become positions."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from math import prod
from typing import Any

from cnndsl.backends.tvm.kernels.words.portable_quads import PortableQuadNest
from cnndsl.backends.tvm.kernels.words.surrounded import places

_PIECE = 64
"""Positions of a task, at the most."""
Channel = tuple[int, int]
"""The number of a source, and of one of its channels."""


@dataclass(frozen=True)
class QuantizedRoute:
    """Arguments: sources in quads `(batch, chunks[i], *size, lanes // 4)`, result in quads `(batch, chunks, *size, lanes // 4)`."""

    batch: int
    size: tuple[int, ...]
    lanes: int
    chunks: tuple[int, ...]
    """Chunks of each source."""
    table: tuple[Channel, ...]
    """For each channel of the result the source and its channel."""
    vectors: bool

    def prim_func(self) -> Any:
        """The function, as loops: a task for each piece of the positions."""
        n, positions = PortableQuadNest(self.lanes, self.vectors), prod(self.size)
        piece = -(-positions // -(-positions // _PIECE))
        pieces = -(-positions // piece)
        out = -(-len(self.table) // self.lanes)
        with n.function():
            sources = [
                n.whole(f"source{i}", (self.batch, count, *self.size, n.words)) for i, count in enumerate(self.chunks)
            ]
            result = n.whole("result", (self.batch, out, *self.size, n.words))
            with n.block():
                flat = [n.viewed(s, (self.batch, int(s.shape[1]), positions, n.words)) for s in sources]
                made = n.viewed(result, (self.batch, out, positions, n.words))
                with n.parallel(self.batch * pieces) as task:
                    for first, count in self._runs():
                        with n.serial(count) as step, n.serial(piece) as inner:
                            position = n.bind(task % pieces * piece + inner)
                            with n.when(position < positions, positions % piece != 0):
                                self._quads(n, flat, made, (task // pieces, position), first, step, count)
        return n.finished()

    def _quad(self, quad: int) -> tuple[Channel, ...]:
        return self.table[4 * quad : 4 * quad + 4]

    def _whole(self, quad: int) -> Channel | None:
        """The source and its quad that a quad of the result is a copy of."""
        (source, channel), *_ = entries = self._quad(quad)
        alike = entries == tuple((source, channel + i) for i in range(len(entries)))
        return (source, channel // 4) if alike and channel % 4 == 0 else None

    def _runs(self) -> list[tuple[int, int]]:
        """Quads of the result whose sources are neighbours, too, and all others one by one: (first, how many)."""
        runs: list[tuple[int, int]] = []
        for quad in range(-(-len(self.table) // 4)):
            whole = self._whole(quad)
            if runs and whole is not None:
                first, count = runs[-1]
                start = self._whole(first)
                if start is not None and whole == (start[0], start[1] + count):
                    runs[-1] = (first, count + 1)
                    continue
            runs.append((quad, 1))
        return runs

    def _quads(
        self, n: PortableQuadNest, sources: list[Any], made: Any, at: tuple[Any, Any], first: int, step: Any, count: int
    ) -> None:
        image, position = at
        to = first + step if count > 1 else first
        place = (image, to // n.words, position, to % n.words)
        whole = self._whole(first)
        if whole is not None:
            source, start = whole
            quad = start + step if count > 1 else start
            n.store(made, sources[source][image, quad // n.words, position, quad % n.words], place)
            return
        found: Any = n.whole_number(0)
        for i, (source, channel) in enumerate(self._quad(first)):
            quad = sources[source][image, channel // self.lanes, position, channel % self.lanes // 4]
            found = found | n.byte(quad, channel % 4) << (8 * i)
        n.store(made, found, place)


@dataclass(frozen=True)
class QuantizedPositions:
    """Each position of the result is one of the input, or is filled. Arguments: input in quads `(batch, chunks, *size, lanes //
    4)`; for each axis that is `moved` the positions, int32 `(out,)`, negative where the result is filled; with `fills` the
    quad that fills, int32 `(1,)`; result in quads `(batch, chunks, *out, lanes // 4)`."""

    batch: int
    chunks: int
    size: tuple[int, ...]
    out: tuple[int, ...]
    lanes: int
    moved: tuple[bool, ...]
    fills: bool
    vectors: bool

    def prim_func(self) -> Any:
        """The function, as loops: a task for each row of the result."""
        n = PortableQuadNest(self.lanes, self.vectors)
        shape = (self.batch, self.chunks, *self.out)
        with n.function():
            data = n.whole("data", (self.batch, self.chunks, *self.size, n.words))
            tables = [
                n.whole(f"positions{axis}", (count,)) if moved else None
                for axis, (count, moved) in enumerate(zip(self.out, self.moved, strict=True))
            ]
            fill = n.whole("fill", (1,)) if self.fills else None
            result = n.whole("result", (*shape, n.words))
            with n.block(), n.parallel(prod(shape[:-1])) as task, n.serial(shape[-1]) as x:
                image, chunk, *row = places(task, shape[:-1])
                position = [*row, x]
                seen = [p if table is None else n.bind(table[p]) for p, table in zip(position, tables, strict=True)]
                inside = [s >= 0 for s, table in zip(seen, tables, strict=True) if table is not None]
                to = (image, chunk, *position)

                def copy(to: Any = to, there: Any = (image, chunk, *seen)) -> None:
                    n.copy(result, to, data, there)

                if fill is None:
                    copy()
                else:
                    n.either(n.all(*inside), copy, lambda to=to: n.fill(result, to, fill[0]))  # type: ignore[misc]
        return n.finished()


@dataclass(frozen=True)
class QuantizedPixelShuffle:
    """`r²` channels in a row become r×r positions of one. Arguments: input in quads `(batch, chunks_in, h, w, lanes // 4)`, result
    in quads `(batch, chunks, r·h, r·w, lanes // 4)`."""

    batch: int
    channels: int
    """Of the result."""
    size: tuple[int, int]
    r: int
    lanes: int

    def prim_func(self) -> Any:
        """The function, as loops: a task for each row of the input and chunk of the result."""
        n, (h, w), r, lanes = PortableQuadNest(self.lanes, vectors=False), self.size, self.r, self.lanes
        chunks, chunks_in = -(-self.channels // lanes), -(-self.channels * r * r // lanes)
        with n.function():
            data = n.whole("data", (self.batch, chunks_in, h, w, n.words))
            result = n.whole("result", (self.batch, chunks, r * h, r * w, n.words))
            with n.block(), n.parallel(self.batch * chunks * h) as task, n.serial(w) as x, n.serial(n.words) as word:
                image, chunk, y = places(task, (self.batch, chunks, h))
                first = n.bind((chunk * n.words + word) * (4 * r * r))
                for i, j in product(range(r), repeat=2):
                    found: Any = n.whole_number(0)
                    for place in range(4):
                        # Channels beyond the last are those of the last: they may be anything.
                        channel = n.tir.min(first + (place * r + i) * r + j, self.channels * r * r - 1)
                        quad = data[image, channel // lanes, y, x, channel % lanes // 4]
                        found = found | n.byte(quad, channel % 4) << (8 * place)
                    n.store(result, found, (image, chunk, y * r + i, x * r + j, word))
        return n.finished()
