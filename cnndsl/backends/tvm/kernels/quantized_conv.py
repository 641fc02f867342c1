"""Convolution of maps of whole numbers on any processor: dense, and in groups of any width.

One task is a row of outputs (a piece of it where rows are few) in `tile[0]` chunks of channels; in it a tile of `tile[0]`
chunks × `tile[1]` columns of sums stays in registers. Around the map lies its zero point: the input is copied with it
where a window reaches outside.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import prod
from typing import TYPE_CHECKING, Any

from cnndsl.backends.tvm.kernels.words.nest import parts
from cnndsl.backends.tvm.kernels.words.portable_quads import PortableQuadNest, Rescaled
from cnndsl.backends.tvm.kernels.words.surrounded import places, surrounded
from cnndsl.ir.window import Window

if TYPE_CHECKING:
    import numpy as np

_READ = 4
"""How often a quad is read, by windows and blocks of chunks, where it pays to split it once for all."""
_TASKS = 16
"""The number of tasks that there should be at least, so that all threads are busy to the end."""


@dataclass(frozen=True)
class QuantizedConv:
    """Arguments: input quads `(batch, chunks, *size, lanes // 4)`; weights as `pack_quantized_conv` has them; for groups the
    first chunk that each chunk out sees, int32 `(chunks_out,)`; with vectors what the sums begin with, int32 `(chunks_out,
    lanes)`; factor, offset, scalars as in `Rescaled`; zero int32 `(2,)`: the zero point, and a quad of it; residuals in
    quads; result, quads or with `rounds` false float32 `(batch, chunks_out, *out, lanes)`."""

    batch: int
    channels: int
    size: tuple[int, ...]
    chunks_out: int
    lanes: int
    seen: int
    """Chunks of the input that a chunk out sees."""
    window: Window
    residuals: int
    rounds: bool
    tile: tuple[int, int]
    vectors: bool
    """Whether the target is LLVM, which has words for vectors; C source counts lane by lane."""

    @property
    def chunks(self) -> int:
        return -(-self.channels // self.lanes)

    @property
    def grouped(self) -> bool:
        return self.seen != self.chunks

    @property
    def quads(self) -> int:
        """Quads of a chunk that have channels, which is all but where there are only a few channels."""
        return -(-min(self.channels, self.lanes) // 4)

    @property
    def splits(self) -> bool:
        """Whether the input is copied with its quads split, which pays where each is read several times."""
        return self.vectors and self.chunks_out // self.tile[0] * prod(self.window.kernel) >= _READ

    @property
    def out(self) -> tuple[int, ...]:
        return self.window.output_size(self.size)

    def prim_func(self) -> Any:
        """The function, as loops."""
        n = PortableQuadNest(self.lanes, self.vectors)
        result_shape = (self.batch, self.chunks_out, *self.out)
        with n.function():
            data = n.whole("data", (self.batch, self.chunks, *self.size, n.words))
            weight = n.weights("weight", (self.chunks_out, self.seen, *self.window.kernel, self.quads))
            first = n.whole("first", (self.chunks_out,)) if self.grouped else None
            start = n.whole("start", (self.chunks_out, self.lanes)) if self.vectors else None
            rescaled = Rescaled(n, (self.chunks_out,), self.residuals, rounds=self.rounds)
            zero = n.whole("zero", (2,))
            added = [n.whole(f"residual{i}", (*result_shape, n.words)) for i in range(self.residuals)]
            result = (
                n.whole("result", (*result_shape, n.words))
                if self.rounds
                else n.argument("result", (*result_shape, self.lanes))
            )
            with n.block(), n.instructions():
                ready = surrounded(n, data, self.window, zero[1], split=self.splits)
                _Body(self, n, ready, weight, first, start, rescaled, zero, added, result).rows()
        return n.finished()


@dataclass(frozen=True)
class _Body:
    kernel: QuantizedConv
    n: PortableQuadNest
    data: Any
    weight: Any
    first: Any
    start: Any
    rescaled: Rescaled
    zero: Any
    added: list[Any]
    result: Any

    def rows(self) -> None:
        """A task for each row and block of chunks; where these are few, for each tile of a row, too."""
        k, n = self.kernel, self.n
        *rows, width = k.out
        shape = (k.batch, k.chunks_out // k.tile[0], *rows)
        cuts = parts(width, k.tile[1])
        if prod(shape) >= _TASKS:
            with n.parallel(prod(shape)) as task:
                image, block, *row = places(task, shape)
                for first, tiles, columns in cuts:
                    with n.serial(tiles) as tile:
                        self._tile(image, block, row, first + tile * columns, columns)
            return
        for first, tiles, columns in cuts:
            piece = -(-tiles // min(tiles, -(-_TASKS // prod(shape))))
            pieces = -(-tiles // piece)
            with n.parallel(prod(shape) * pieces) as task, n.serial(piece) as inner:
                image, block, *row, part = places(task, (*shape, pieces))
                tile = n.bind(part * piece + inner)
                with n.when(tile < tiles, tiles % piece != 0):
                    self._tile(image, block, row, first + tile * columns, columns)

    def _tile(self, image: Any, block: Any, row: Sequence[Any], x: Any, columns: int) -> None:
        k, n, w = self.kernel, self.n, self.kernel.window
        outs = [n.bind(block * k.tile[0] + i) for i in range(k.tile[0])]
        sums = [n.local_whole((columns, k.lanes)) for _ in outs]
        for o, sum_ in zip(outs, sums, strict=True):
            with n.each() as lane:
                for i in range(columns):
                    n.store(sum_, self.start[o, lane] if k.vectors else n.whole_number(0), (i, lane))
        with n.serial(k.seen) as chunk, n.serial(prod(w.kernel)) as tap:
            ks = places(tap, w.kernel)
            seen = [n.bind(r * s + t * d) for r, s, t, d in zip(row, w.stride, ks, w.dilation, strict=False)]
            column = n.bind(x * w.stride[-1] + ks[-1] * w.dilation[-1])
            source = chunk if self.first is None else n.bind(self.first[outs[0]] + chunk)
            for q in range(k.quads):
                for i in range(columns):
                    at = (image, source, *seen, column + i * w.stride[-1])
                    add = self._products(at, q, (chunk, *ks, q))
                    for o, sum_ in zip(outs, sums, strict=True):
                        with n.each() as lane:
                            n.store(sum_, add(sum_[i, lane], o, lane), (i, lane))
        for o, sum_ in zip(outs, sums, strict=True):
            for i in range(columns):
                at = (image, o, *row, x + i)
                self.rescaled.stored(
                    self.result,
                    at,
                    (o,),
                    lambda lane, sum_=sum_, i=i: sum_[i, lane],  # type: ignore[misc]
                    lambda lane, at=at: [n.numbers(r, at, lane) for r in self.added],  # type: ignore[misc]
                )

    def _products(self, at: tuple[Any, ...], q: int, weights: tuple[Any, ...]) -> Callable[[Any, Any, Any], Any]:
        """What adds to sums the products of a quad of the input with the weights of a chunk out."""
        k, n = self.kernel, self.n
        if not k.vectors:
            quad = n.bind(self.data[(*at, q)])
            return lambda sums, o, lane: n.dot_of_bytes(sums, quad, self.weight, (o, *weights), lane, self.zero[0])
        if k.splits:
            halves = n.bind(self.data[(*at, 0, q)]), n.bind(self.data[(*at, 1, q)])
        else:
            first, second = n.split(n.bind(self.data[(*at, q)]))
            halves = n.bind(first), n.bind(second)
        return lambda sums, o, lane: n.dot(sums, halves, self.weight, (o, *weights), lane)


def quantized_tile(chunks_out: int, width: int, lanes: int, *, grouped: bool) -> tuple[int, int]:
    """Chunks × columns of sums by the rule: two chunks share each quad that is read, and the sums, their weights and their
    quads fill the registers."""
    chunks = 1 if grouped or chunks_out % 2 else 2
    return chunks, min(width, (16 if lanes >= 16 else 8) // chunks)


def groups_seen(channels: int, channels_out: int, groups: int, lanes: int) -> tuple[list[int], int]:
    """For each chunk out the first chunk that it sees, and how many it sees; the same number for all."""
    ins, outs = channels // groups, channels_out // groups
    ranges = []
    for o in range(0, channels_out, lanes):
        last = min(o + lanes, channels_out) - 1
        ranges.append((o // outs * ins // lanes, ((last // outs + 1) * ins - 1) // lanes + 1))
    seen = max(stop - start for start, stop in ranges)
    chunks = -(-channels // lanes)
    return [min(start, chunks - seen) for start, _ in ranges], seen


def pack_quantized_conv(
    weight: np.ndarray, channels: int, groups: int, lanes: int, *, vectors: bool
) -> tuple[np.ndarray, list[int]]:
    """int8 `(out, in of a group, *kernel)` → quads int32 `(chunks_out, seen, *kernel, quads, lanes)`, without vectors int8
    `(…, quads, 4, lanes)`; and the first chunk that each chunk out sees."""
    import numpy as np

    out, ins, *kernel = weight.shape
    first, seen = groups_seen(channels, out, groups, lanes)
    chunks_out = len(first)
    wide = np.zeros((chunks_out * lanes, seen * lanes, *kernel), np.int8)
    for o in range(out):
        at = o // (out // groups) * ins - first[o // lanes] * lanes
        wide[o, at : at + ins] = weight[o]
    parts = wide.reshape(chunks_out, lanes, seen, lanes // 4, 4, *kernel)
    quads = -(-min(channels, lanes) // 4)
    packed = np.moveaxis(parts, (3, 4, 1), (-3, -2, -1))[..., :quads, :, :]
    return as_weights(packed, vectors=vectors), first


def as_weights(packed: np.ndarray, *, vectors: bool) -> np.ndarray:
    """int8 `(…, 4, lanes)` as `PortableQuadNest.weights` takes them."""
    import numpy as np

    if not vectors:
        return np.ascontiguousarray(packed)
    return np.ascontiguousarray(np.swapaxes(packed, -1, -2)).view(np.int32)[..., 0]
