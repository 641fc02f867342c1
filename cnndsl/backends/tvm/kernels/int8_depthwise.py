"""Depthwise convolution of whole numbers: four neighbouring columns of a row are products of one instruction.

A register holds all channels of a chunk at four neighbouring positions. One permutation of its bytes makes of it, for each
channel, a quad of the four positions; a dot product with the weights of a row of the window, shifted to where an output
sees them, then adds up to four products of each channel. A tile is `rows` rows × four columns of outputs, so that a
permuted register serves several rows of the window.

What lies outside the map is never read: rows are decided one by one; near the ends of a row the four positions are
shifted inside, and the weights with them.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from math import prod
from typing import TYPE_CHECKING, Any, Self

from cnndsl.backends.tvm.kernels.words.borders import axes, classes
from cnndsl.backends.tvm.kernels.words.demand import Demand
from cnndsl.backends.tvm.kernels.words.ending import Ending, Endings
from cnndsl.backends.tvm.kernels.words.nest import parts, places
from cnndsl.backends.tvm.kernels.words.quads import QuadNest, registers
from cnndsl.backends.tvm.kernels.words.shifted import Load, Variant, covering
from cnndsl.ir.window import Window

if TYPE_CHECKING:
    import numpy as np

_COLUMNS = 4
_TASKS = 16
"""The number of tasks that there should be at least, so that all threads are busy to the end."""
_WRITTEN = 120
"""Dot products of a tile up to which it is good to write them all out."""
MOST_TAPS = 81
"""The largest window: its products are written out one by one."""


@dataclass(frozen=True)
class Int8Depthwise:
    """Arguments: input quads `(batch, chunks, *size, lanes / 4)`, weight quads as `pack_int8_depthwise` has it, starts int32
    `(classes, chunks, lanes)` as `borders.pack_starts` has it, then those of the ending (`Endings.declared`): factors and
    offsets float32 `(chunks, lanes)`; with residuals their factors float32 `(residuals,)` and the maps, quads `(batch,
    chunks, *out, lanes / 4)`; with a table quads `(64,)`; output quads `(batch, chunks, *out, lanes / 4)`, or float32 `(batch, chunks,
    *out, lanes)` where it is real.

    The last axis of the map has four positions or more."""

    batch: int
    chunks: int
    size: tuple[int, ...]
    lanes: int
    window: Window
    bordered: bool
    """Whether sums begin with other numbers at borders: `borders.is_bordered`."""
    ending: Ending
    rows: int
    """Rows of a tile."""
    by_rows: bool
    """Whether neighbouring tasks go through the chunks of one band of rows, or through the bands of one chunk."""

    def candidates(self) -> tuple[Self, ...]:
        """Itself, then others with other tiles and orders of tasks; all take the same weights."""
        rows = [n for n in (1, 2, 3, 4, 6) if n <= self.tall[0]]
        others = [replace(self, rows=n, by_rows=by) for n in rows for by in (False, True)]
        return (self, *(other for other in others if other != self))

    @property
    def out(self) -> tuple[int, ...]:
        return self.window.output_size(self.size)

    @property
    def tall(self) -> tuple[int, int]:
        """Rows of the result and of the map."""
        return (self.out[-2], self.size[-2]) if len(self.size) > 1 else (1, 1)

    @property
    def starts_of_tiles(self) -> list[int]:
        """The first column of each tile; the last tile lies over the one before where four do not divide the width."""
        width = self.out[-1]
        last = max(0, width - _COLUMNS)
        return [*range(0, last, _COLUMNS), last]

    def covered(self, start: int | None) -> tuple[Load, ...]:
        """What a tile reads of a row: of the tile that begins at a column; of one that sees nothing outside, relative to
        the first column that it sees, where there is none."""
        w, columns = self.window, range(min(_COLUMNS, self.out[-1]))
        low = 0 if start is None else start * w.stride[-1] - w.before[-1]
        seen = [{low + x * w.stride[-1] + tap * w.dilation[-1]: tap for tap in range(w.kernel[-1])} for x in columns]
        return covering(seen, None if start is None else self.size[-1])

    def sees_outside(self, start: int) -> bool:
        """Whether what the tile that begins at a column reads differs from what others read."""
        low = start * self.window.stride[-1] - self.window.before[-1]
        firsts = [load.first for load in self.covered(None)]
        return low + min(firsts) < 0 or low + max(firsts) + 4 > self.size[-1]

    @property
    def variants(self) -> tuple[Variant, ...]:
        """Each way in which the weights of a row of the window stand in a quad."""
        whole = [s for s in self.starts_of_tiles if not self.sees_outside(s)]
        kinds: list[int | None] = [s for s in self.starts_of_tiles if self.sees_outside(s)]
        kinds += [None] if whole else []
        found = [variant for kind in kinds for load in self.covered(kind) for _, variant in load.columns]
        return tuple(dict.fromkeys(found))

    def demand(self, threads: int) -> Demand:
        """What a call takes: a tile of four columns at a time, whose loads serve some rows of the window."""
        tiles = self.batch * self.chunks * prod(self.out[:-1]) * len(self.starts_of_tiles) / threads
        taps = prod(self.window.kernel[:-1]) * sum(len(load.columns) for load in self.covered(None))
        return Demand("Int8Depthwise", tiles * taps, tiles, tiles * 4 * (1 + self.ending.residuals + self.ending.table))

    def prim_func(self) -> Any:
        """The function, as loops."""
        n, w = QuadNest(self.lanes), self.window
        found = axes(w, self.size, self.bordered)
        with n.function():
            data = n.whole("data", (self.batch, self.chunks, *self.size, n.quads))
            weight = n.whole("weight", (self.chunks, *w.kernel[:-1], len(self.variants), n.lanes))
            starts = n.whole("starts", (classes(found), self.chunks, n.lanes))
            endings = Endings.declared(n, self.ending, (self.batch, self.chunks, *self.out))
            with n.block(), n.instructions():
                _Body(self, n, n.flat(data), weight, starts, endings.opened(), self.variants).bands()
        return n.finished()


@dataclass(frozen=True)
class _Body:
    kernel: Int8Depthwise
    n: QuadNest
    data: Any
    weight: Any
    starts: Any
    endings: Endings
    variants: tuple[Variant, ...]

    def bands(self) -> None:
        """One task for each band of tiles of a chunk."""
        k, n = self.kernel, self.n
        height, deep = k.tall[0], k.out[:-2]
        cut = parts(height, k.rows)
        of_layer = sum(count for _, count, _ in cut)
        maps, tiles = k.batch * k.chunks, prod(deep) * of_layer
        wanted = min(tiles, -(-_TASKS // (1 if k.by_rows else maps)))
        band = -(-tiles // wanted)
        bands = -(-tiles // band)
        with n.parallel(maps * bands) as task, n.serial(band) as inner:
            if k.by_rows:
                image, part, chunk = task // (bands * k.chunks), task // k.chunks % bands, task % k.chunks
            else:
                image, part, chunk = task // (bands * k.chunks), task % bands, task // bands % k.chunks
            tile = n.bind(part * band + inner)
            with n.when(tile < tiles, tiles % band != 0):
                image, chunk, at = n.bind(image), n.bind(chunk), n.bind(tile % of_layer)
                lead = [n.bind(place) for place in places(tile // of_layer, deep)] if deep else []

                def those(first: int, before: int, rows: int) -> None:
                    self._row(image, chunk, lead, n.bind(first + (at - before) * rows), rows)

                if len(cut) == 1:
                    those(0, 0, cut[0][2])
                else:
                    (_, count, larger), (first, _, smaller) = cut
                    n.either(at < count, lambda: those(0, 0, larger), lambda: those(first, count, smaller))

    def _row(self, image: Any, chunk: Any, lead: list[Any], row: Any, rows: int) -> None:
        """All tiles of `rows` rows from `row` on."""
        k, n = self.kernel, self.n
        whole = [start for start in k.starts_of_tiles[:-1] if not k.sees_outside(start)]
        for start in k.starts_of_tiles:
            if start not in whole:
                outside = k.sees_outside(start)
                self._tile(image, chunk, lead, row, rows, start, k.covered(start if outside else None), outside)
            elif start == whole[0]:
                loads = k.covered(None)
                with n.serial(len(whole)) as tile:
                    self._tile(image, chunk, lead, row, rows, n.bind(start + tile * _COLUMNS), loads, False)

    def _tile(
        self,
        image: Any,
        chunk: Any,
        lead: list[Any],
        row: Any,
        rows: int,
        start: Any,
        loads: Sequence[Load],
        outside: bool,
    ) -> None:
        """The outputs at `rows` rows from `row` on and up to four columns from `start` on."""
        k, n, w = self.kernel, self.n, self.kernel.window
        columns = min(_COLUMNS, k.out[-1])
        sums = [n.local_sums((columns, n.lanes)) for _ in range(rows)]
        self._begin(sums, chunk, lead, row, start)
        flat = len(k.size) == 1
        kernel, stride, dilation, before = (
            (1, 1, 1, 0) if flat else (w.kernel[-2], w.stride[-2], w.dilation[-2], w.before[-2])
        )
        padded = [b + a for b, a in zip(w.before, w.after_filled(k.size), strict=True)]
        low: Any = 0 if outside else start * w.stride[-1] - w.before[-1]
        top = n.bind(row * stride - before)

        def across(taps: Sequence[Any]) -> None:
            """Adds the products of one layer of the window."""
            seen = [
                n.bind(p * s + t * d - b)
                for p, s, t, d, b in zip(lead, w.stride, taps, w.dilation, w.before, strict=False)
            ]
            within = [c for p, s, pad in zip(seen, k.size, padded, strict=False) if pad for c in (p >= 0, p < s)]
            with n.when(n.all(*within) if within else True, bool(within)):
                layer: Any = image * k.chunks + chunk
                for place, size in zip(seen, k.size, strict=False):
                    layer = layer * size + place
                layer = n.bind(layer * k.tall[1])
                for down in range((rows - 1) * stride + (kernel - 1) * dilation + 1):
                    served = [
                        (r, tap) for r in range(rows) for tap in range(kernel) if r * stride + tap * dilation == down
                    ]
                    if served:
                        y = n.bind(top + down)
                        inside = n.all(y >= 0, y < k.tall[1])
                        with n.when(inside, not flat and padded[-2] > 0):
                            along(taps, n.bind((layer + y) * k.size[-1] + low), served)

        def along(taps: Sequence[Any], line: Any, served: Sequence[tuple[int, int]]) -> None:
            """Adds the products of a row of the map for all rows of outputs that see it."""
            for load in loads:
                positions = self.data[n.ramp((line + load.first) * n.quads, n.lanes)]
                found = n.bind(n.transposed(positions))
                for r, tap in served:
                    for x, variant in load.columns:
                        at = (*taps, *(() if flat else (tap,)), self.variants.index(variant), n.ramp(0))
                        weights = self.weight[(chunk, *at)]
                        n.store(sums[r], n.dot(sums[r][x, n.ramp(0)], found, weights), (x, n.ramp(0)))

        with ExitStack() as stack:
            across([stack.enter_context(n.serial(count)) for count in w.kernel[:-2]])
        for r in range(rows):
            above = () if flat else (row + r,)

            def number(x: int, r: int = r) -> Any:
                return sums[r][x, n.ramp(0)]

            def place(x: int, above: tuple[Any, ...] = above) -> tuple[Any, ...]:
                return image, chunk, *lead, *above, start + x

            self.endings.store(number, columns, place)

    def _begin(self, sums: list[Any], chunk: Any, lead: list[Any], row: Any, start: Any) -> None:
        k, n = self.kernel, self.n
        *above, last = axes(k.window, k.size, k.bordered)
        for r, sum_ in enumerate(sums):
            before: Any = 0
            for place, axis in zip([*lead, row + r], above, strict=False):
                before = before * axis.classes + axis.class_of(place, n.minimum, n.maximum)
            before = n.bind(before * last.classes) if above and k.bordered else 0
            for x in range(int(sum_.shape[0])):
                # A tile whose place is not known when the kernel is written sees nothing outside.
                kind = last.class_of(start + x if isinstance(start, int) else last.lead)
                n.store(sum_, self.starts[before + kind, chunk, n.ramp(0)], (x, n.ramp(0)))


def takes_int8_depthwise(size: tuple[int, ...], window: Window) -> bool:
    """Whether the kernel is for this convolution."""
    return size[-1] >= _COLUMNS and prod(window.kernel) <= MOST_TAPS


def int8_depthwise(
    batch: int, chunks: int, size: tuple[int, ...], lanes: int, window: Window, bordered: bool, ending: Ending
) -> Int8Depthwise:
    """The kernel by the rule: as many rows in a tile as share what is permuted, as far as the code stays short.

    Threads share large maps of few channels by rows and others by channels, as the 1×1 convolutions around them do:
    what another thread wrote comes from its core's cache, and late."""
    kernel = Int8Depthwise(batch, chunks, size, lanes, window, bordered, ending, 1, False)
    of_row = prod(window.kernel[-2:-1]) * sum(len(load.columns) for load in kernel.covered(None))
    rows = max(
        n
        for n in (1, 2, 3, 4)
        if n == 1 or (n <= kernel.tall[0] and n * of_row <= _WRITTEN and n * _COLUMNS <= registers(lanes) // 2)
    )
    return replace(kernel, rows=rows, by_rows=prod(kernel.out) > 2 * chunks * lanes)


def pack_int8_depthwise(weight: np.ndarray, variants: Sequence[Variant], lanes: int) -> np.ndarray:
    """int8 `(channels, 1, *kernel)` → quads, int32 `(chunks, *kernel[:-1], variants, lanes)`."""
    import numpy as np

    from cnndsl.backends.tvm.kernels.words.packing import fill_up
    from cnndsl.backends.tvm.kernels.words.quads import quads

    rows = fill_up(weight[:, 0], 0, lanes)
    none = np.zeros_like(rows[..., 0])
    made = [np.stack([none if tap is None else rows[..., tap] for tap in variant], -1) for variant in variants]
    whole = quads(np.stack(made, -2), -1)[..., 0]
    parts_ = whole.reshape(-1, lanes, *whole.shape[1:])
    return np.ascontiguousarray(np.moveaxis(parts_, 1, -1))
