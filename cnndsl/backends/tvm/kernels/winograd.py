"""Winograd convolution of 3×3 windows at stride 1 over packed maps (Lavin & Gray 2015).

The output is cut into tiles of m × m. Each tile's (m + 2) × (m + 2) inputs are transformed, so that every one of the
(m + 2)² frequencies is a product of matrices, tiles × channels by channels × channels out; the products are transformed
back on their way out. F(2, 3) takes 16 multiplications where 36 were, F(4, 3) 36 where 144 were.

Tiles of all images in a batch are counted through and go in strips. All threads share a strip: they transform its
inputs, multiply, and transform back, so that weights are read once for a strip and what is between the steps stays in
the cache.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import prod
from typing import Any, Self

from cnndsl.backends.tvm.kernels.winograd_transforms import input_transform, output_transform
from cnndsl.backends.tvm.kernels.words.demand import Demand, passes, tile_cycles
from cnndsl.backends.tvm.kernels.words.functions import finish
from cnndsl.backends.tvm.kernels.words.nest import Nest, parts
from cnndsl.backends.tvm.plan.groups import Tail
from cnndsl.ir.window import Window

_STEP = 4
"""How many channels' products the innermost loop writes out; every width of vectors is a multiple of it."""
_RUN = 8
"""Tiles of a task that transforms."""


@dataclass(frozen=True)
class Winograd:
    """Arguments: input `(batch, chunks, h, w, lanes)`, weight `(frequencies · chunks_out · chunks · lanes, lanes)` as
    `pack_winograd` makes it, bias `(chunks_out, lanes)`, residuals of the tail and output `(batch, chunks_out, oh, ow,
    lanes)`."""

    batch: int
    size: tuple[int, int]
    chunks: int
    chunks_out: int
    lanes: int
    window: Window
    tail: Tail
    m: int
    """Rows and columns of a tile: 2 or 4."""
    tile: tuple[int, int]
    """Chunks out × tiles that stay in registers."""
    strip: int
    """How many tiles go through all three steps before the next ones begin."""

    @property
    def grid(self) -> tuple[int, int, int]:
        """Images, rows and columns of tiles."""
        oh, ow = self.window.output_size(self.size)
        return self.batch, -(-oh // self.m), -(-ow // self.m)

    @property
    def frequencies(self) -> int:
        return (self.m + 2) ** 2

    def candidates(self) -> tuple[Self, ...]:
        """Itself, then others with another `m`, tile in registers or strip. `m` decides how weights are packed."""
        variants = [self]
        for m in (self.m, 6 - self.m):
            tiles = prod(replace(self, m=m).grid)
            wholes = sorted({-(-tiles // -(-tiles // s)) for s in (64, 128, 256)}, reverse=True)
            for tile in ((2, 7), (2, 8), (2, 10), (2, 6), (4, 5), (1, 12)):
                if tile[0] <= self.chunks_out and tile[1] <= tiles:
                    variants += [replace(self, m=m, tile=tile, strip=strip) for strip in wholes]
        return tuple(dict.fromkeys(variants))[:24]

    def demand(self, threads: int) -> Demand:
        """What a call takes: the products of all strips; transforms of each tile, chunk and frequency on both sides."""
        tiles, depth = prod(self.grid), self.chunks * self.lanes
        strips, products = -(-tiles // self.strip), 0.0
        for _, blocks, chunks in parts(self.chunks_out, self.tile[0]):
            steps = sum(count * tile_cycles(chunks, width) for _, count, width in parts(self.strip, self.tile[1]))
            products += -(-self.frequencies * blocks // threads) * steps * depth
        columns = len(parts(self.chunks_out, self.tile[0]))
        short, long = passes(self.tail)
        vectors = self.grid[0] * self.chunks_out * prod(self.window.output_size(self.size)) / threads
        room = self.frequencies * (self.chunks + self.chunks_out) * self.lanes * 4
        return Demand(
            "Winograd",
            work=strips * products,
            second=self.frequencies * strips * self.strip * (self.chunks + self.chunks_out) / threads,
            tail=vectors * (1 + short),
            heavy=vectors * long,
            scratch=room * tiles,
            regions=strips * (2 + columns),
        )

    def prim_func(self) -> Any:
        """The function, as loops."""
        n = Nest(self.lanes)
        with n.function():
            data = n.argument("data", self._input_shape)
            depth = self.chunks * self.lanes
            weight = n.argument("weight", (self.frequencies * self.chunks_out * depth, self.lanes))
            bias = n.argument("bias", (self.chunks_out, self.lanes))
            out = self._output_shape
            residuals = [n.argument(f"residual{i}", out) for i in range(self.tail.count(None))]
            result = n.argument("result", out)
            seen, products = self._room(n, self.chunks), self._room(n, self.chunks_out)
            with n.serial(-(-prod(self.grid) // self.strip)) as strip:
                for chunk, t, tile in self._tiles(n, strip, self.chunks):
                    self._transform(n, data, chunk, t, tile, seen)
                for first, count, width in parts(self.chunks_out, self.tile[0]):
                    with n.parallel(self.frequencies * count) as task:
                        self._multiply(n, weight, seen, products, task // count, first + task % count * width, width)
                for chunk, t, tile in self._tiles(n, strip, self.chunks_out):
                    self._back(n, products, chunk, t, tile, (bias, residuals, result))
        return n.finished()

    @property
    def _input_shape(self) -> tuple[int, ...]:
        return self.batch, self.chunks, *self.size, self.lanes

    @property
    def _output_shape(self) -> tuple[int, ...]:
        return self.batch, self.chunks_out, *self.window.output_size(self.size), self.lanes

    def _read(self, _n: Nest, data: Any, image: Any, chunk: Any, row: Any, column: Any, lane: Any) -> Any:
        """A number of the input of one image."""
        return data[image, chunk, row, column, lane]

    def _written(self, image: Any, o: Any, row: Any, column: Any, lane: Any) -> tuple[Any, ...]:
        """Where a number of the output of one image is."""
        return image, o, row, column, lane

    def _room(self, n: Nest, chunks: int) -> Any:
        """For the tiles of a strip at every frequency, as `(frequency, chunk · strip + tile, lane)`. The numbers of
        one tile lie an odd number of lines apart: a power of two would put all into one set of the cache."""
        return n.local((self.frequencies, chunks * self.strip | 1, self.lanes))

    def _tiles(self, n: Nest, strip: Any, chunks: int) -> Any:
        """A loop in parallel over the chunks and tiles of a strip; gives the chunk, the tile's number in the strip,
        and in all."""
        runs = -(-self.strip // _RUN)
        with n.parallel(chunks * runs) as task, n.serial(min(_RUN, self.strip)) as j:
            t = task % runs * _RUN + j
            tile = strip * self.strip + t
            with n.when(n.all(t < self.strip, tile < prod(self.grid))):
                yield task // runs, t, tile

    def _place(self, n: Nest, tile: Any) -> list[Any]:
        """Image, and row and column of the first output of a tile."""
        _, rows, columns = self.grid
        at = tile // (rows * columns), tile // columns % rows * self.m, tile % columns * self.m
        return [n.bind(i) for i in at]

    def _transform(self, n: Nest, data: Any, chunk: Any, t: Any, tile: Any, seen: Any) -> None:
        (h, w), (top, left), side = self.size, self.window.before, self.m + 2
        image, y, x = self._place(n, tile)
        inside = n.all(y >= top, y + (side - top) <= h, x >= left, x + (side - left) <= w)

        def loads(lane: Any, j: int, guarded: bool) -> list[Any]:
            values = []
            for i in range(side):
                row, column = y + (i - top), x + (j - left)
                value = self._read(n, data, image, chunk, row, column, lane)
                within = n.all(row >= 0, row < h, column >= 0, column < w)
                values.append(n.bind(n.select(within, value) if guarded else value))
            return values

        def transform(guarded: bool) -> None:
            with n.vector() as lane:
                columns = [
                    [n.bind(v) for v in input_transform(loads(lane, j, guarded), n.number, n.bind)] for j in range(side)
                ]
                for i in range(side):
                    for j, value in enumerate(input_transform([c[i] for c in columns], n.number, n.bind)):
                        n.store(seen, value, (i * side + j, chunk * self.strip + t, lane))

        n.either(inside, lambda: transform(False), lambda: transform(True))

    def _multiply(self, n: Nest, weight: Any, seen: Any, products: Any, f: Any, o: Any, chunks: int) -> None:
        """The products of one frequency for `chunks` chunks out from `o` on and all tiles of the strip.

        On real networks weights come cold. Those that the next task multiplies are asked for here, spread over the
        passes.
        """
        depth, blocks = self.chunks * self.lanes, parts(self.strip, self.tile[1])
        start = n.bind((f * self.chunks_out + o) * depth)
        last = (self.frequencies * self.chunks_out - chunks) * depth
        following = n.bind(n.minimum(start + chunks * depth, last))
        asked = -(-_STEP * chunks // sum(count for _, count, _ in blocks))
        for index, (first, count, width) in enumerate(blocks):
            with n.serial(count) as block:
                tile = first + block * width
                sums = [n.local((width, self.lanes)) for _ in range(chunks)]
                n.clear(sums)
                ahead = following + (block + index * blocks[0][1]) * (depth // _STEP * asked)
                with n.serial(self.chunks) as c, n.serial(self.lanes // _STEP) as outer:
                    step = c * (self.lanes // _STEP) + outer
                    for i in range(asked):
                        n.prefetch(weight, (ahead + step * asked + i, 0))
                    with n.vector() as lane:
                        for b in range(_STEP):
                            at = start + step * _STEP + b
                            factors = [n.bind(weight[at + i * depth, lane]) for i in range(chunks)]
                            for t in range(width):
                                value = n.bind(seen[f, c * self.strip + tile + t, outer * _STEP + b])
                                for i in range(chunks):
                                    n.store(sums[i], sums[i][t, lane] + factors[i] * value, (t, lane))
                with n.vector() as lane:
                    for i in range(chunks):
                        for t in range(width):
                            n.store(products, sums[i][t, lane], (f, (o + i) * self.strip + tile + t, lane))

    def _back(self, n: Nest, products: Any, o: Any, t: Any, tile: Any, ends: tuple[Any, Sequence[Any], Any]) -> None:
        (oh, ow), m, side = self.window.output_size(self.size), self.m, self.m + 2
        bias, residuals, result = ends
        image, y, x = self._place(n, tile)
        rows = [n.local((m, self.lanes)) for _ in range(m)]
        with n.vector() as lane:
            columns = []
            for j in range(side):
                column = [n.bind(products[i * side + j, o * self.strip + t, lane]) for i in range(side)]
                columns.append([n.bind(v) for v in output_transform(column, n.number, n.bind)])
            for i in range(m):
                for j, value in enumerate(output_transform([c[i] for c in columns], n.number, n.bind)):
                    n.store(rows[i], value, (j, lane))
        ragged = oh % m != 0 or ow % m != 0
        for i in range(m):
            for j in range(m):
                with n.when(n.all(y + i < oh, x + j < ow), ragged), n.vector() as lane:
                    place = self._written(image, o, y + i, x + j, lane)
                    value = finish(n.tir, rows[i][j, lane] + bias[o, lane], self.tail, [r[place] for r in residuals])
                    n.store(result, value, place)
