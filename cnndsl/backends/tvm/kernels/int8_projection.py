"""Convolution of whole numbers with a window of one, at every position: `projection.py` on quads.

A tile of `tile[0]` chunks out × `tile[1]` positions stays in vector registers while the sum runs over all quads of
channels. Weights lie in the order in which they are read.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import prod
from typing import TYPE_CHECKING, Any, Self

from cnndsl.backends.tvm.kernels.words.demand import Demand
from cnndsl.backends.tvm.kernels.words.ending import Ending, Endings
from cnndsl.backends.tvm.kernels.words.nest import parts
from cnndsl.backends.tvm.kernels.words.quads import QuadNest, registers, tile_cycles

if TYPE_CHECKING:
    import numpy as np

_NEAR = 1 << 18
"""Bytes of inputs that one task should see: they are read once for every block of outputs."""
_TASKS = 8
_STEP = 4
"""Quads between two turns of the innermost loop."""
_LINE = 16
"""int32 numbers in a line of the cache."""
_FIRST_CACHE = 512
"""Lines of 64 bytes of which a loop may go through as many again and again at full speed."""
_AGAIN, _LATE, _FAR = 2, 10, 20
"""Cycles for a line from the second cache, for one that another core has written, and for one that nobody has read."""


@dataclass(frozen=True)
class Int8Projection:
    """Arguments: input quads `(batch, chunks, *size, lanes / 4)`, weight quads `(chunks_out·quads, lanes)` as
    `pack_int8_projection` has it for `tile[0]`, starts int32 `(chunks_out, lanes)`, then those of the ending
    (`Endings.declared`): factors and offsets float32 `(chunks_out, lanes)`; with residuals their factors float32
    `(residuals,)` and the maps, quads `(batch, chunks_out, *size, lanes / 4)`; with a table quads `(64,)`; output quads
    `(batch, chunks_out, *size, lanes / 4)`, or float32 `(batch, chunks_out, *size, lanes)` where it is real.

    Starts are what sums begin with: minus the input's zero point times the sum of the weights of each channel out."""

    batch: int
    size: tuple[int, ...]
    channels: int
    channels_out: int
    lanes: int
    ending: Ending
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
    def quads(self) -> int:
        """Quads of channels that are summed: none that are only filled up."""
        return -(-self.channels // 4)

    @property
    def positions(self) -> int:
        return prod(self.size)

    def candidates(self) -> tuple[Self, ...]:
        """Itself, then others with other tiles and tasks. The tile decides how weights are packed: the emitter asks
        for it."""
        others = [replace(self, tile=tile, by_outputs=by) for tile, by in self.ranked()[:12]]
        return (self, *(other for other in others if other != self))

    def ranked(self) -> list[tuple[tuple[int, int], bool]]:
        """Every tile that the registers hold with both values of `by_outputs`, the pair that should be the fastest
        first."""
        tiles = [
            (c, p)
            for c in range(1, min(5, self.chunks_out) + 1)
            for p in range(1, min(14, self.positions) + 1)
            if c * p + c + 1 <= registers(self.lanes)
        ]
        settings = [(tile, by) for tile in tiles for by in (False, True)]
        return sorted(settings, key=lambda s: sum(self._cycles(s[0], s[1], threads) * threads for threads in (2, 4)))

    def _cycles(self, tile: tuple[int, int], by_outputs: bool, threads: int) -> float:
        """An estimate of the cycles of the thread that is done last, where two dot products of registers take one.

        Weights come from far away, and where a task is a block of outputs they are asked for in time. What does not
        fit near the core comes again for each block, or for each task."""
        cycles = 0.0
        weights, inputs = self.quads * self.chunks_out, self.positions * self.batch * self.chunks * self.lanes / 64
        for _, blocks, chunks in parts(self.chunks_out, tile[0]):
            for _, tiles, width in parts(self.positions, tile[1]):
                work = tile_cycles(chunks, width, self.quads, registers(self.lanes))
                together = self.together(tiles, width)
                share = blocks * together if not by_outputs else tiles
                tasks = (blocks if by_outputs else -(-tiles // together)) * self.batch
                cycles += -(-tasks // threads) * share * work
        if by_outputs:
            again = _AGAIN * inputs * (-(-self.chunks_out // tile[0]) - 1) if inputs > _FIRST_CACHE else 0
            return max(cycles, _FAR * weights / threads) + again / threads + _LATE * inputs * (1 - 1 / threads)
        return cycles + _FAR * weights

    def together(self, tiles: int, width: int) -> int:
        """Tiles of positions in a task, of which there are a multiple of eight unless there are few tiles."""
        most = max(1, _NEAR // (width * self.chunks * self.lanes))
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
                work += -(-tasks // threads) * each * tile_cycles(chunks, width, self.quads, registers(self.lanes))
        regions = len(parts(self.chunks_out if self.by_outputs else self.positions, self.tile[not self.by_outputs]))
        inputs = self.positions * self.batch * self.chunks / 4
        lines = inputs if self.by_outputs else self.quads * self.chunks_out
        vectors = self.batch * self.chunks_out * self.positions / threads
        tail = vectors * (1 + self.ending.residuals + self.ending.table)
        return Demand("Int8Projection", work, lines * (1 - 1 / threads), tail, 0, 0, regions)

    def prim_func(self) -> Any:
        """The function, as loops."""
        n = QuadNest(self.lanes)
        with n.function():
            data = n.whole("data", (self.batch, self.chunks, *self.size, n.quads))
            weight = n.whole("weight", (self.chunks_out * self.quads, n.lanes))
            starts = n.whole("starts", (self.chunks_out, n.lanes))
            endings = Endings.declared(n, self.ending, (self.batch, self.chunks_out, *self.size))
            with n.block(), n.instructions():
                flat = n.reshaped(data, (self.batch, self.chunks, self.positions, n.quads))
                body = _Body(self, n, flat, weight, starts, endings.flat())
                (body.by_outputs if self.by_outputs else body.by_positions)()
        return n.finished()


@dataclass(frozen=True)
class _Body:
    kernel: Int8Projection
    n: QuadNest
    data: Any
    weight: Any
    starts: Any
    endings: Endings

    def by_outputs(self) -> None:
        k, n = self.kernel, self.n
        for first, count, chunks in parts(k.chunks_out, k.tile[0]):
            with n.parallel(count * k.batch) as task:
                o, before = n.bind(first + task % count * chunks), 0
                passes = sum(tiles for _, tiles, _ in parts(k.positions, k.tile[1]))
                for start, tiles, width in parts(k.positions, k.tile[1]):
                    with n.serial(tiles) as tile:
                        ahead = (before + tile, passes)
                        self.tile(task // count, o, start + tile * width, chunks, width, ahead)
                    before += tiles

    def by_positions(self) -> None:
        k, n = self.kernel, self.n
        for start, tiles, width in parts(k.positions, k.tile[1]):
            together = k.together(tiles, width)
            tasks = -(-tiles // together)
            with n.parallel(tasks * k.batch) as task:
                for first, count, chunks in parts(k.chunks_out, k.tile[0]):
                    with n.serial(count) as block, n.serial(together) as inner:
                        tile = n.bind(task % tasks * together + inner)
                        with n.when(tile < tiles, tiles % together != 0):
                            self.tile(
                                task // tasks, n.bind(first + block * chunks), start + tile * width, chunks, width
                            )

    def tile(
        self, image: Any, o: Any, position: Any, chunks: int, width: int, ahead: tuple[Any, int] | None = None
    ) -> None:
        """The outputs of `chunks` chunks from `o` on at `width` positions. With `ahead` this is one of several passes
        over the same weights: its number, and of how many. Each then asks for its share of the next block's."""
        k, n = self.kernel, self.n
        sums = [n.local_sums((width, n.lanes)) for _ in range(chunks)]
        for i in range(chunks):
            start = n.bind(self.starts[o + i, n.ramp(0)])
            for p in range(width):
                n.store(sums[i], start, (p, n.ramp(0)))

        def add(chunk: Any, quad: int) -> None:
            at = n.bind(o * k.quads + (chunk * n.quads + quad) * chunks)
            weights = [n.bind(self.weight[at + i, n.ramp(0)]) for i in range(chunks)]
            for p in range(width):
                value = n.bind(n.spread(self.data[image, chunk, position + p, quad]))
                for i in range(chunks):
                    n.store(sums[i], n.dot(sums[i][p, n.ramp(0)], value, weights[i]), (p, n.ramp(0)))

        def several(step: Any, count: int) -> None:
            for inner in range(count):
                add(step * (_STEP // n.quads) + inner // n.quads, inner % n.quads)

        whole, rest = divmod(k.quads, _STEP)
        if whole:
            with n.serial(whole) as step:
                if ahead is not None:
                    turn, passes = ahead
                    vectors = -(-_STEP * chunks // passes)
                    first = n.bind((o + chunks) * k.quads + (turn * whole + step) * vectors)
                    for vector in range(0, vectors, _LINE // n.lanes):
                        n.prefetch(self.weight, (first + vector, 0))
                several(step, _STEP)
        several(whole, rest)
        for i in range(chunks):

            def number(p: int, i: int = i) -> Any:
                return sums[i][p, n.ramp(0)]

            def place(p: int, i: int = i) -> tuple[Any, ...]:
                return image, o + i, position + p

            self.endings.store(number, width, place)


def int8_projection(
    batch: int, size: tuple[int, ...], channels: int, channels_out: int, lanes: int, ending: Ending
) -> Int8Projection:
    """The kernel by the rule: the tile and the tasks that should be the fastest."""
    kernel = Int8Projection(batch, size, channels, channels_out, lanes, ending, (1, 1), by_outputs=True)
    tile, by_outputs = kernel.ranked()[0]
    return replace(kernel, tile=tile, by_outputs=by_outputs)


def pack_int8_projection(weight: np.ndarray, tile: int, lanes: int) -> np.ndarray:
    """int8 `(out, in, 1, …)` → quads, int32 `(chunks_out·quads, lanes)`: for each block of up to `tile` chunks out, for
    each quad of channels in, the vectors of the block."""
    import numpy as np

    from cnndsl.backends.tvm.kernels.words.packing import fill_up
    from cnndsl.backends.tvm.kernels.words.quads import quads

    square = quads(fill_up(fill_up(weight.reshape(weight.shape[:2]), 0, lanes), 1, 4), 1)
    chunks_out, deep = square.shape[0] // lanes, square.shape[1]
    vectors = square.reshape(chunks_out, lanes, deep).transpose(2, 0, 1)
    blocks = [
        vectors[:, first + i * chunks : first + (i + 1) * chunks].reshape(-1, lanes)
        for first, count, chunks in parts(chunks_out, tile)
        for i in range(count)
    ]
    return np.ascontiguousarray(np.concatenate(blocks))
