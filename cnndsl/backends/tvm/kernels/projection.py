"""Convolution with a window of one, at every position: a product of matrices, positions by channels with channels by
channels out. `Linear` on tokens is the same.

A tile of `tile[0]` chunks out × `tile[1]` positions stays in vector registers while the sum runs over all channels; the
axes of a map count as one, so that no width is odd. Weights lie in the order in which they are read.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import prod
from typing import TYPE_CHECKING, Any, Self

from cnndsl.backends.tvm.groups import Tail
from cnndsl.backends.tvm.kernels.nest import Nest, parts
from cnndsl.backends.tvm.kernels.tile import store_tile

if TYPE_CHECKING:
    import numpy as np

_STEP = 4
"""Channels between two turns of the innermost loop."""
_NEAR = 1 << 18
"""Bytes of inputs that one task should see: they are read once for every block of outputs."""


@dataclass(frozen=True)
class Projection:
    """Arguments: input `(batch, chunks, *size, lanes)`, weight `(chunks_out·chunks·lanes, lanes)` as `pack_projection`
    has it, bias `(chunks_out, lanes)`, residuals of the tail and output `(batch, chunks_out, *size, lanes)`."""

    batch: int
    size: tuple[int, ...]
    chunks: int
    chunks_out: int
    lanes: int
    tail: Tail
    tile: tuple[int, int]
    by_outputs: bool
    """Whether a task is a block of outputs at all positions, or all outputs at a piece of them."""

    @property
    def positions(self) -> int:
        return prod(self.size)

    def candidates(self) -> tuple[Self, ...]:
        """The same with other tiles and tasks. Weights are laid out by the tile: the emitter looks."""
        tiles = ranked_tiles(self.chunks_out, self.positions, 32 if self.lanes >= 16 else 16)[:6]
        others = [replace(self, tile=tile, by_outputs=by) for tile in tiles for by in (True, False)]
        return (self, *(other for other in others if other != self))

    def prim_func(self) -> Any:
        """The function, as loops."""
        n = Nest(self.lanes)
        with n.function():
            data = n.argument("data", (self.batch, self.chunks, *self.size, self.lanes))
            weight = n.argument("weight", (self.chunks_out * self.chunks * self.lanes, self.lanes))
            bias = n.argument("bias", (self.chunks_out, self.lanes))
            out = (self.batch, self.chunks_out, *self.size, self.lanes)
            residuals = [n.argument(f"residual{i}", out) for i in range(self.tail.count(None))]
            result = n.argument("result", out)
            flat = [n.flattened(b, (self.batch, int(b.shape[1]), self.positions, self.lanes)) for b in (data, result)]
            added = [n.flattened(r, (self.batch, self.chunks_out, self.positions, self.lanes)) for r in residuals]
            body = _Body(self, n, flat[0], weight, bias, added, flat[1])
            (body.by_outputs if self.by_outputs else body.by_positions)()
        return n.finished()


@dataclass(frozen=True)
class _Body:
    kernel: Projection
    n: Nest
    data: Any
    weight: Any
    bias: Any
    residuals: list[Any]
    result: Any

    def by_outputs(self) -> None:
        k, n = self.kernel, self.n
        for first, count, chunks in parts(k.chunks_out, k.tile[0]):
            with n.parallel(count * k.batch) as task:
                o = n.bind(first + task % count * chunks)
                for start, tiles, width in parts(k.positions, k.tile[1]):
                    with n.serial(tiles) as tile:
                        self.tile(task // count, o, start + tile * width, chunks, width)

    def by_positions(self) -> None:
        k, n = self.kernel, self.n
        for start, tiles, width in parts(k.positions, k.tile[1]):
            most = max(1, _NEAR // (4 * width * k.chunks * k.lanes))
            together = -(-tiles // max(2, -(-tiles // most)))
            tasks = -(-tiles // together)
            with n.parallel(tasks * k.batch) as task:
                for first, count, chunks in parts(k.chunks_out, k.tile[0]):
                    with n.serial(count) as block, n.serial(together) as inner:
                        tile = n.bind(task % tasks * together + inner)
                        with n.when(tile < tiles, tiles % together != 0):
                            self.tile(task // tasks, first + block * chunks, start + tile * width, chunks, width)

    def tile(self, image: Any, o: Any, position: Any, chunks: int, width: int) -> None:
        """The outputs of `chunks` chunks from `o` on at `width` positions."""
        k, n = self.kernel, self.n
        deep = k.chunks * k.lanes
        sums = [n.local((width, k.lanes)) for _ in range(chunks)]
        n.clear(sums)
        with n.serial(k.chunks) as c, n.serial(k.lanes // _STEP) as outer, n.vector() as lane:
            for inner in range(_STEP):
                channel = outer * _STEP + inner
                at = o * deep + (c * k.lanes + channel) * chunks
                factors = [n.bind(self.weight[at + i, lane]) for i in range(chunks)]
                for p in range(width):
                    value = n.bind(self.data[image, c, position + p, channel])
                    for i in range(chunks):
                        n.store(sums[i], sums[i][p, lane] + factors[i] * value, (p, lane))
        for i in range(chunks):

            def value(p: int, lane: Any, i: int = i) -> Any:
                return sums[i][p, lane] + self.bias[o + i, lane]

            def place(p: Any, lane: Any, i: int = i) -> tuple[Any, ...]:
                return image, o + i, position + p, lane

            store_tile(n, k.tail, value, width, self.residuals, self.result, place)


def projection(
    batch: int, size: tuple[int, ...], chunks: int, chunks_out: int, lanes: int, tail: Tail, registers: int
) -> Projection:
    """The kernel by the rule: the best tile; a block of outputs for each task where there are enough of them, so that
    weights come from memory once."""
    tile = ranked_tiles(chunks_out, prod(size), registers)[0]
    blocks = batch * -(-chunks_out // tile[0])
    by_outputs = blocks >= 8 or blocks in (2, 4, 6)
    return Projection(batch, size, chunks, chunks_out, lanes, tail, tile, by_outputs)


def ranked_tiles(chunks_out: int, positions: int, registers: int) -> list[tuple[int, int]]:
    """Chunks × positions of accumulators, the tile that should be the fastest first.

    The tile's loads are `chunks + positions` for `chunks · positions` multiply-adds; eight of these hide their latency.
    """

    def cost(tile: tuple[int, int]) -> float:
        total = 0.0
        for _, blocks, chunks in parts(chunks_out, tile[0]):
            for _, tiles, width in parts(positions, tile[1]):
                work = max(chunks * width, 8, 1.3 * (chunks + width))
                total += blocks * tiles * (work + 0.08 * (chunks + width))
        return total

    tiles = [
        (c, p)
        for c in range(1, min(4, chunks_out) + 1)
        for p in range(1, min(14, positions) + 1)
        if c * p + c + 1 <= registers - 1
    ]
    return sorted(tiles, key=cost)


def pack_projection(weight: np.ndarray, tile: int, lanes: int) -> np.ndarray:
    """`(out, in, 1, …)` → `(chunks_out·chunks·lanes, lanes)`: for each block of up to `tile` chunks out, for each channel
    in, the vectors of the block."""
    import numpy as np

    from cnndsl.backends.tvm.kernels.packing import fill_up

    square = fill_up(fill_up(weight.reshape(weight.shape[:2]), 0, lanes), 1, lanes)
    chunks_out, deep = square.shape[0] // lanes, square.shape[1]
    vectors = square.reshape(chunks_out, lanes, deep).transpose(2, 0, 1)
    blocks = [
        vectors[:, first + i * chunks : first + (i + 1) * chunks].reshape(-1, lanes)
        for first, count, chunks in parts(chunks_out, tile)
        for i in range(count)
    ]
    return np.ascontiguousarray(np.concatenate(blocks))
