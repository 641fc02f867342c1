"""Convolution with a window of one, at every position: a product of matrices, positions by channels with channels by
channels out. `Linear` on tokens is the same.

A tile of `tile[0]` chunks out × `tile[1]` positions stays in vector registers while the sum runs over all channels; the
axes of a map count as one, so that no width is odd. Weights lie in the order in which they are read.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from math import prod
from typing import TYPE_CHECKING, Any, Self

from cnndsl.backends.tvm.kernels.words.demand import Demand, passes, tile_cycles
from cnndsl.backends.tvm.kernels.words.nest import Nest, parts
from cnndsl.backends.tvm.kernels.words.tile import store_tile
from cnndsl.backends.tvm.plan.groups import Tail

if TYPE_CHECKING:
    import numpy as np

_STEP = 4
"""Channels between two turns of the innermost loop."""
_NEAR = 1 << 18
"""Bytes of inputs that one task should see: they are read once for every block of outputs."""
_TASKS = 8
_LINE = 16
"""float32 numbers in a line of the cache."""
_LATE, _FAR = 10, 8
"""Cycles for a line that another core has written, and for one of weights that nobody has asked for in time."""


@dataclass(frozen=True)
class Projection:
    """Arguments: input `(batch, chunks, *size, lanes)`, weight `(chunks_out·chunks·lanes, lanes)` as `pack_projection`
    has it, bias `(chunks_out, lanes)`, residuals of the tail and output `(batch, chunks_out, *size, lanes)`."""

    batch: int
    size: tuple[int, ...]
    channels: int
    channels_out: int
    lanes: int
    tail: Tail
    tile: tuple[int, int]
    by_outputs: bool
    """Whether a task is a block of outputs at all positions, or all outputs at a piece of them."""

    @property
    def chunks(self) -> int:
        return -(-self.channels // self.lanes)

    @property
    def chunks_out(self) -> int:
        return -(-self.channels_out // self.lanes)

    @property
    def half(self) -> bool:
        """Whether the last chunk out is at most half full: it is computed in shorter vectors."""
        return self.lanes >= 16 and 0 < self.channels_out % self.lanes <= self.lanes // 2

    @property
    def positions(self) -> int:
        return prod(self.size)

    def candidates(self) -> tuple[Self, ...]:
        """Itself, then others with other tiles and tasks. The tile decides how weights are packed: the emitter asks
        for it."""
        registers = 32 if self.lanes >= 16 else 16
        others = [replace(self, tile=tile, by_outputs=by) for tile, by in self.ranked(registers)[:12]]
        return (self, *(other for other in others if other != self))

    def ranked(self, registers: int) -> list[tuple[tuple[int, int], bool]]:
        """Every tile that the registers hold with both values of `by_outputs`, the pair that should be the fastest
        first."""
        tiles = [
            (c, p)
            for c in range(1, min(4, self.chunks_out) + 1)
            for p in range(1, min(14, self.positions) + 1)
            if c * p + c + 1 <= registers - 1
        ]
        settings = [(tile, by) for tile in tiles for by in (False, True)]
        return sorted(settings, key=lambda s: sum(self._cycles(s[0], s[1], threads) * threads for threads in (2, 4)))

    def _cycles(self, tile: tuple[int, int], by_outputs: bool, threads: int) -> float:
        """An estimate of the cycles of the thread that is done last, where a multiply-add of vectors takes one.

        A tile loads `chunks + positions` vectors for `chunks · positions` multiply-adds; eight of these hide their
        latency. What another thread wrote takes its time for each line of 64 bytes, and so do weights, but where a task is a
        block of outputs: there they are asked for in time.
        """
        cycles = 0.0
        for _, blocks, chunks in parts(self.chunks_out, tile[0]):
            for _, tiles, width in parts(self.positions, tile[1]):
                work = max(chunks * width, 8, 1.3 * (chunks + width)) + 0.08 * (chunks + width)
                together = self.together(tiles, width)
                share = blocks * together if not by_outputs else tiles
                tasks = (blocks if by_outputs else -(-tiles // together)) * self.batch
                cycles += -(-tasks // threads) * share * work * self.channels
        inputs, weights = self.positions * self.batch * self.chunks, self.channels * self.chunks_out
        return cycles + (_LATE * inputs * (1 - 1 / threads) if by_outputs else _FAR * weights)

    def together(self, tiles: int, width: int) -> int:
        """Tiles of positions in a task, of which there are a multiple of eight unless there are few tiles."""
        most = max(1, _NEAR // (4 * width * self.chunks * self.lanes))
        tasks = min(tiles, -(-tiles // most // _TASKS) * _TASKS)
        return -(-tiles // tasks)

    def demand(self, threads: int) -> Demand:
        """What a call takes, by the loops of `_cycles`."""
        work = 0.0
        for _, blocks, chunks in parts(self.chunks_out, self.tile[0]):
            for _, tiles, width in parts(self.positions, self.tile[1]):
                together = self.together(tiles, width)
                each = tiles if self.by_outputs else blocks * together
                tasks = (blocks if self.by_outputs else -(-tiles // together)) * self.batch
                work += -(-tasks // threads) * each * tile_cycles(chunks, width) * self.channels
        regions = len(parts(self.chunks_out if self.by_outputs else self.positions, self.tile[not self.by_outputs]))
        lines = self.positions * self.batch * self.chunks if self.by_outputs else self.channels * self.chunks_out
        short, long = passes(self.tail)
        vectors = self.batch * self.chunks_out * self.positions / threads
        return Demand("Projection", work, lines * (1 - 1 / threads), vectors * (1 + short), vectors * long, 0, regions)

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
                block, image = n.bind(task % count), task // count
                o = n.bind(first + block * chunks)

                def all_positions(half: bool, image: Any = image, o: Any = o, chunks: int = chunks) -> None:
                    before, passes = 0, sum(tiles for _, tiles, _ in parts(k.positions, k.tile[1]))
                    for start, tiles, width in parts(k.positions, k.tile[1]):
                        with n.serial(tiles) as tile:
                            ahead = (before + tile, passes)
                            self.tile(image, o, start + tile * width, chunks, width, half, ahead)
                        before += tiles

                half = k.half and first + count * chunks == k.chunks_out
                if half and count > 1:
                    n.either(block == count - 1, partial(all_positions, True), partial(all_positions, False))
                else:
                    all_positions(half)

    def by_positions(self) -> None:
        k, n = self.kernel, self.n
        blocks = [(*part, False) for part in parts(k.chunks_out, k.tile[0])]
        if k.half:
            first, count, chunks, _ = blocks.pop()
            blocks += [(first, count - 1, chunks, False)] if count > 1 else []
            blocks.append((first + (count - 1) * chunks, 1, chunks, True))
        for start, tiles, width in parts(k.positions, k.tile[1]):
            together = k.together(tiles, width)
            tasks = -(-tiles // together)
            with n.parallel(tasks * k.batch) as task:
                for first, count, chunks, half in blocks:
                    with n.serial(count) as block, n.serial(together) as inner:
                        tile = n.bind(task % tasks * together + inner)
                        with n.when(tile < tiles, tiles % together != 0):
                            o, position = first + block * chunks, start + tile * width
                            self.tile(task // tasks, o, position, chunks, width, half)

    def tile(
        self,
        image: Any,
        o: Any,
        position: Any,
        chunks: int,
        width: int,
        half: bool,
        ahead: tuple[Any, int] | None = None,
    ) -> None:
        """The outputs of `chunks` chunks from `o` on at `width` positions; of the last one only the lower half. With `ahead`
        this is one of several passes over the same weights: its number, and of how many. Each then asks for its share of the
        next block's."""
        k, n = self.kernel, self.n
        deep = k.chunks * k.lanes
        lanes = [k.lanes] * (chunks - half) + [k.lanes // 2] * half
        sums = [n.local((width, count)) for count in lanes]
        for i in range(chunks):
            n.clear(sums[i : i + 1], lanes[i])
        with n.serial(-(-k.channels // _STEP)) as step:
            if ahead is not None:
                turn, passes = ahead
                vectors = -(-_STEP * chunks // passes)
                next_ = n.bind((o + chunks) * deep + (turn * -(-k.channels // _STEP) + step) * vectors)
                for vector in range(0, vectors, max(1, _LINE // k.lanes)):
                    n.prefetch(self.weight, (next_ + vector, 0))
            c, first = n.bind(step * _STEP // k.lanes), n.bind(step * _STEP % k.lanes)
            for inner in range(_STEP):
                at = n.bind(o * deep + (step * _STEP + inner) * chunks)
                # Position by position, so that a number is spread over long and short vectors while it is at hand.
                for p in range(width):
                    for wide in dict.fromkeys(lanes):
                        with n.vector(wide) as lane:
                            value = n.bind(self.data[image, c, position + p, first + inner])
                            for i in range(chunks):
                                if lanes[i] == wide:
                                    factor = self.weight[at + i, lane]
                                    n.store(sums[i], sums[i][p, lane] + factor * value, (p, lane))
        for i in range(chunks):

            def value(p: int, lane: Any, i: int = i) -> Any:
                return sums[i][p, lane] + self.bias[o + i, lane]

            def place(p: Any, lane: Any, i: int = i) -> tuple[Any, ...]:
                return image, o + i, position + p, lane

            store_tile(n, k.tail, value, width, self.residuals, self.result, place, lanes[i])
        if half:
            # The rest of the last chunk is read with its channels, and must not be what memory holds by chance.
            with n.serial(width) as p, n.vector(k.lanes // 2) as lane:
                n.store(self.result, n.number(0), (image, o + chunks - 1, position + p, k.lanes // 2 + lane))


def projection(
    batch: int, size: tuple[int, ...], channels: int, channels_out: int, lanes: int, tail: Tail, registers: int
) -> Projection:
    """The kernel by the rule: the best tile; a block of outputs for each task where there are enough of them, so that
    weights come from memory once."""
    kernel = Projection(batch, size, channels, channels_out, lanes, tail, (1, 1), by_outputs=True)
    tile, by_outputs = kernel.ranked(registers)[0]
    return replace(kernel, tile=tile, by_outputs=by_outputs)


def pack_projection(weight: np.ndarray, tile: int, lanes: int) -> np.ndarray:
    """`(out, in, 1, …)` → `(chunks_out·chunks·lanes, lanes)`: for each block of up to `tile` chunks out, for each
    channel in, the vectors of the block."""
    import numpy as np

    from cnndsl.backends.tvm.kernels.words.packing import fill_up

    square = fill_up(fill_up(weight.reshape(weight.shape[:2]), 0, lanes), 1, lanes)
    chunks_out, deep = square.shape[0] // lanes, square.shape[1]
    vectors = square.reshape(chunks_out, lanes, deep).transpose(2, 0, 1)
    blocks = [
        vectors[:, first + i * chunks : first + (i + 1) * chunks].reshape(-1, lanes)
        for first, count, chunks in parts(chunks_out, tile)
        for i in range(count)
    ]
    return np.ascontiguousarray(np.concatenate(blocks))
