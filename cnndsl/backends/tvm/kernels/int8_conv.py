"""Convolution of whole numbers with a window of any size, stride and dilation, dense or in groups.

A task is a row of outputs in a block of chunks of channels: a tile of `tile[0]` chunks × up to `tile[1]` columns stays in
registers over the reduction. What lies outside the map is never read: rows are decided one by one, columns when the
kernel is written, since only the tiles at the two ends of a row see any.

In groups a chunk out sees a few chunks of the input, with zeros for the weights of other groups. Where groups are narrower than a
chunk and as many channels go out as come in, nothing is wasted: each output of a chunk has the quads of its own group.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from math import prod
from typing import Any, Self

from cnndsl.backends.tvm.kernels.words.borders import axes, classes, runs
from cnndsl.backends.tvm.kernels.words.demand import Demand
from cnndsl.backends.tvm.kernels.words.ending import Ending, Endings
from cnndsl.backends.tvm.kernels.words.nest import parts, places
from cnndsl.backends.tvm.kernels.words.quads import QuadNest, registers, tile_cycles
from cnndsl.backends.tvm.kernels.words.seen import Seen
from cnndsl.ir.window import Window

_LINE = 16
"""int32 numbers in a line of the cache."""
_MANY = 8
"""Tiles that read the same weights, for each vector of these in a step, beyond which it does not matter when they come."""
_UNROLLED = 800
"""Dot products up to which the quads of a chunk are written out one by one."""
_WIDE = 3
"""Columns of a window for whose weights there are registers."""
MOST_COLUMNS = 16
"""The widest window: its columns are written out one by one."""


@dataclass(frozen=True)
class Int8Conv:
    """Arguments: input quads `(batch, chunks, *size, quads)`, weight quads as `seen.pack_int8_conv` has it for `tile[0]`,
    starts int32 `(classes, chunks_out, lanes)` as `borders.pack_starts` has it, then those of the ending
    (`Endings.declared`): factors and offsets float32 `(chunks_out, lanes)`; with residuals their factors float32
    `(residuals,)` and the maps, quads `(batch, chunks_out, *out, lanes / 4)`; with a table quads `(64,)`; output quads
    `(batch, chunks_out, *out, lanes / 4)`, or float32 `(batch, chunks_out, *out, lanes)` where it is real.

    `quads` is a quarter of the lanes, or, of the map of a few channels that `Int8Input` makes, as many as its channels fill."""

    batch: int
    size: tuple[int, ...]
    channels: int
    channels_out: int
    lanes: int
    quads: int
    window: Window
    bordered: bool
    """Whether sums begin with other numbers at borders: `borders.is_bordered`."""
    ending: Ending
    tile: tuple[int, int]
    groups: int = 1

    def candidates(self) -> tuple[Self, ...]:
        """Itself, then others with other tiles, which decide how weights are packed: the emitter asks for them."""
        return (self, *(replace(self, tile=t) for t in self.ranked()[:12] if t != self.tile))

    @property
    def out(self) -> tuple[int, ...]:
        return self.window.output_size(self.size)

    @property
    def chunks(self) -> int:
        return -(-self.channels // (4 * self.quads))

    @property
    def chunks_out(self) -> int:
        return -(-self.channels_out // self.lanes)

    @property
    def seen(self) -> Seen:
        return Seen.of(self.channels, self.channels_out, self.groups, self.lanes)

    def ranked(self) -> list[tuple[int, int]]:
        """Every tile that the registers hold, the one that should be the fastest first."""
        depth, seen = self.seen.deep * prod(self.window.kernel), min(self.window.kernel[-1], _WIDE)

        def cost(tile: tuple[int, int]) -> float:
            return sum(
                blocks * tiles * tile_cycles(chunks, columns, depth, registers(self.lanes), seen)
                for _, blocks, chunks in parts(self.chunks_out, tile[0])
                for _, tiles, columns in parts(self.out[-1], tile[1])
            )

        tiles = [
            (c, x)
            for c in range(1, min(4, self.seen.together) + 1)
            if self.groups == 1 or self.seen.together % c == 0
            for x in range(1, min(14, self.out[-1]) + 1)
            if c * x + c * min(self.window.kernel[-1], _WIDE) + 1 < registers(self.lanes)
        ]
        return sorted(tiles, key=cost)

    def demand(self, threads: int) -> Demand:
        """What a call takes: tasks are rows of outputs of a block of chunks."""
        *rows, width = self.out
        depth, seen = self.seen.deep * prod(self.window.kernel), min(self.window.kernel[-1], _WIDE)
        work, regions = 0.0, 0
        for _, blocks, chunks in parts(self.chunks_out, self.tile[0]):
            tasks = blocks * self.batch * prod(rows)
            steps = sum(
                tiles * tile_cycles(chunks, columns, depth, registers(self.lanes), seen)
                for _, tiles, columns in parts(width, self.tile[1])
            )
            work += -(-tasks // threads) * steps
            regions += 1
        vectors = self.batch * self.chunks_out * prod(self.out) / threads
        tail = vectors * (1 + self.ending.residuals + self.ending.table)
        return Demand("Int8Conv", work, vectors, tail, 0, 0, regions)

    def prim_func(self) -> Any:
        """The function, as loops."""
        n, w = QuadNest(self.lanes), self.window
        found = axes(w, self.size, self.bordered)
        vectors = self.chunks_out * self.seen.deep * prod(w.kernel)
        with n.function():
            data = n.whole("data", (self.batch, self.chunks, *self.size, self.quads))
            weight = n.whole("weight", (vectors, n.lanes))
            starts = n.whole("starts", (classes(found), self.chunks_out, n.lanes))
            endings = Endings.declared(n, self.ending, (self.batch, self.chunks_out, *self.out))
            with n.block(), n.instructions():
                _Body(self, n, data, weight, starts, endings.opened()).rows()
        return n.finished()


@dataclass(frozen=True)
class _Body:
    kernel: Int8Conv
    n: QuadNest
    data: Any
    weight: Any
    starts: Any
    endings: Endings

    def rows(self) -> None:
        k, n = self.kernel, self.n
        for first, count, chunks in parts(k.chunks_out, k.tile[0]):
            shape = (k.batch, count, *k.out[:-1])
            with n.parallel(prod(shape)) as task:
                image, block, *rows = (n.bind(place) for place in places(task, shape))
                o, before = n.bind(first + block * chunks), 0
                along = runs(k.window, k.size, k.tile[1])
                passes = sum(tiles for _, tiles, _ in along)
                turn = n.bind(task % prod(k.out[:-1]) * passes)
                for start, tiles, columns in along:
                    if tiles == 1:
                        self._tile(image, o, chunks, rows, start, columns, turn + before)
                    else:
                        with n.serial(tiles) as tile:
                            at = n.bind(turn + before + tile)
                            self._tile(image, o, chunks, rows, start + tile * columns, columns, at)
                    before += tiles

    def _tile(self, image: Any, o: Any, chunks: int, rows: Sequence[Any], start: Any, columns: int, turn: Any) -> None:
        """The outputs of `chunks` chunks from `o` on at `columns` columns from `start` on in one row. It is the tile
        `turn` of those that read the same weights."""
        k, n, w = self.kernel, self.n, self.kernel.window
        sums = [n.local_sums((columns, n.lanes)) for _ in range(chunks)]
        self._begin(sums, o, rows, start, columns)
        low = start * w.stride[-1] - w.before[-1]
        padded = tuple(b + a for b, a in zip(w.before, w.after_filled(k.size), strict=True))
        deep = k.seen.deep
        whole, rest = divmod(deep, k.quads)
        source = n.bind(k.seen.first(o, n.minimum)) if k.groups > 1 else 0
        positions, width = prod(w.kernel), w.kernel[-1]
        together = max(1, min(width, (registers(k.lanes) - 1 - chunks * columns) // chunks))

        def across(chunk: Any, quads: int, taps: Sequence[Any]) -> None:
            """Adds the products of one row of the window with `quads` quads of a chunk."""
            seen = [
                n.bind(r * s + t * d - b)
                for r, t, s, d, b in zip(rows, taps, w.stride, w.dilation, w.before, strict=False)
            ]
            within = [c for p, s, pad in zip(seen, k.size, padded, strict=False) if pad for c in (p >= 0, p < s)]
            row = 0
            for tap, count in zip(taps, w.kernel, strict=False):
                row = row * count + tap
            with n.when(n.all(*within) if within else True, bool(within)):
                base = n.bind(o * deep * positions + (chunk * k.quads * positions + row * width * quads) * chunks)
                self._ask(o + chunks, turn, (chunk * prod(w.kernel[:-1]) + row), quads * width * chunks)
                written = quads * width * chunks * columns <= _UNROLLED
                if written:
                    for quad in range(quads):
                        along(chunk, seen, base, quad)
                else:
                    with n.serial(quads) as quad:
                        along(chunk, seen, base, quad)

        def along(chunk: Any, seen: Sequence[Any], base: Any, quad: Any) -> None:
            for first in range(0, width, together):
                taps = range(first, min(first + together, width))
                weights = {
                    (tap, i): n.bind(self.weight[base + (quad * width + tap) * chunks + i, n.ramp(0)])
                    for tap in taps
                    for i in range(chunks)
                }
                # Column by column, so that a number is spread over a register once for all columns that see it.
                served = defaultdict(list)
                for tap in taps:
                    for x in range(columns):
                        served[x * w.stride[-1] + tap * w.dilation[-1]].append((x, tap))
                for shift in sorted(served):
                    if isinstance(start, int) and not 0 <= low + shift < k.size[-1]:
                        continue
                    value = n.bind(self._spread((image, source + chunk, *seen, low + shift), quad))
                    for x, tap in served[shift]:
                        for i in range(chunks):
                            n.store(sums[i], n.dot(sums[i][x, n.ramp(0)], value, weights[tap, i]), (x, n.ramp(0)))

        def window(chunk: Any, quads: int) -> None:
            with ExitStack() as stack:
                across(chunk, quads, [stack.enter_context(n.serial(count)) for count in w.kernel[:-1]])

        if whole:
            with n.serial(whole) as chunk:
                window(chunk, k.quads)
        if rest:
            window(whole, rest)
        for i in range(chunks):

            def number(x: int, i: int = i) -> Any:
                return sums[i][x, n.ramp(0)]

            def place(x: int, i: int = i) -> tuple[Any, ...]:
                return image, o + i, *rows, start + x

            self.endings.store(number, columns, place)

    def _spread(self, at: tuple[Any, ...], quad: Any) -> Any:
        """For each output of a chunk a quad of the input at a position: the same, or that of its group."""
        k, n = self.kernel, self.n
        if not k.seen.own:
            return n.spread(self.data[(*at, quad)])
        width = k.channels // k.groups
        lanes = [(lane // width * width) // 4 + quad for lane in range(k.lanes)]
        # TVM gives a shuffle no more numbers than it takes.
        return n.shuffled([n.bind(self.data[(*at, n.position())])] * (k.lanes // n.quads), lanes)

    def _ask(self, o: Any, turn: Any, step: Any, vectors: int) -> None:
        """Asks for a share of the weights of the block of chunks from `o` on, which come next: each of the tiles of a
        block does in each step, which reads as many `vectors`."""
        k, n = self.kernel, self.n
        passes = prod(k.out[:-1]) * sum(tiles for _, tiles, _ in runs(k.window, k.size, k.tile[1]))
        if passes > _MANY * vectors:
            return
        share = -(-vectors // passes)
        steps = -(-k.seen.deep // k.quads) * prod(k.window.kernel[:-1])
        of_chunk = k.seen.deep * prod(k.window.kernel)
        with n.when(turn < vectors, passes > vectors):
            first = n.bind(o * of_chunk + (turn * steps + step) * share)
            for vector in range(0, share, _LINE // n.lanes):
                n.prefetch(self.weight, (first + vector, 0))

    def _begin(self, sums: list[Any], o: Any, rows: Sequence[Any], start: Any, columns: int) -> None:
        k, n = self.kernel, self.n
        *above, last = axes(k.window, k.size, k.bordered)
        before: Any = 0
        for row, axis in zip(rows, above, strict=True):
            before = before * axis.classes + axis.class_of(row, n.minimum, n.maximum)
        before = n.bind(before * last.classes) if above else 0
        for i, sum_ in enumerate(sums):
            loaded: dict[int, Any] = {}
            for x in range(columns):
                # A tile whose place is not known when the kernel is written sees nothing outside.
                place = last.class_of(start + x if isinstance(start, int) else last.lead)
                if place not in loaded:
                    loaded[place] = n.bind(self.starts[before + place, o + i, n.ramp(0)])
                n.store(sum_, loaded[place], (x, n.ramp(0)))


def int8_conv(
    batch: int,
    size: tuple[int, ...],
    channels: int,
    channels_out: int,
    window: Window,
    bordered: bool,
    lanes: int,
    ending: Ending,
    quads: int | None = None,
    groups: int = 1,
) -> Int8Conv:
    """The kernel by the rule: the tile that should be the fastest."""
    quads = quads or lanes // 4
    kernel = Int8Conv(batch, size, channels, channels_out, lanes, quads, window, bordered, ending, (1, 1), groups)
    return replace(kernel, tile=kernel.ranked()[0])
