"""Direct convolution over packed maps.

Maps have one, two or three axes. One task is a row of outputs (where maps have one axis, a piece of it) in `tile[0]`
chunks of channels; in it a tile of `tile[0]` chunks × `tile[1]` columns stays in vector registers while the reduction
runs over chunks in, rows, columns and channels of the window. Each step loads `tile[0]` vectors of weights,
broadcasts `tile[1]` numbers of the input and multiplies all with all.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import prod
from typing import Any, Self

from cnndsl.backends.tvm.kernels.words.demand import Demand, passes, share, tile_cycles
from cnndsl.backends.tvm.kernels.words.finished import scheduled
from cnndsl.backends.tvm.kernels.words.functions import finish
from cnndsl.backends.tvm.library import load_tvm
from cnndsl.backends.tvm.plan.groups import Tail
from cnndsl.ir.window import Window

_TILES = 16
"""Tiles of a task where maps have one axis."""


@dataclass(frozen=True)
class DirectConv:
    """Sizes of one convolution. Its arguments: input, weight, bias, residuals of the tail, output.

    Input `(batch, chunks, *size, block)`, or with `plain` `(batch, block, *size)`; weight `(chunks_out, chunks_seen,
    *kernel, block, lanes)`; bias `(chunks_out, lanes)`; residuals and output `(batch, chunks_out, *out, lanes)`.
    """

    batch: int
    size: tuple[int, ...]
    chunks: int
    block: int
    plain: bool
    chunks_out: int
    lanes: int
    chunks_seen: int
    """Input chunks that one output chunk sees: all of them, or those of its group."""
    outs_per_group: int
    """Output chunks that see the same input chunks."""
    window: Window
    tail: Tail
    tile: tuple[int, int]

    def candidates(self) -> tuple[Self, ...]:
        """The same with other tiles, of which those of three accumulators and fewer are never good."""
        registers = 32 if self.lanes >= 16 else 16
        chunks = self.outs_per_group if self.outs_per_group > 1 else self.chunks_out
        tiles = [t for t in ranked_tiles(chunks, self.out[-1], self.lanes, registers) if t[0] * t[1] > 3]
        return (self, *(replace(self, tile=tile) for tile in tiles if tile != self.tile))

    @property
    def out(self) -> tuple[int, ...]:
        return self.window.output_size(self.size)

    def demand(self, threads: int) -> Demand:
        """What a call takes: tasks are rows of outputs, or where maps have one axis pieces of it. Columns behind the last whole tile
        are computed apart."""
        (chunks, columns), (*rows, width) = self.tile, self.out
        depth = self.chunks_seen * self.block * prod(self.window.kernel)
        tiles, ragged = -(-width // columns), width % columns
        tasks = self.batch * self.chunks_out // chunks * (prod(rows) if rows else -(-tiles // _TILES))
        each = self.batch * self.chunks_out // chunks * prod(rows) * depth * share(tasks, threads)
        padded = self.batch * (1 if self.plain else self.chunks) * self.block
        padded *= prod(n + b + a for n, b, a in zip(self.size, self.window.before, self.window.after, strict=True))
        short, long = passes(self.tail)
        vectors = self.batch * self.chunks_out * prod(self.out) / threads
        return Demand(
            "DirectConv, plain input" if self.plain else "DirectConv",
            work=each * tiles * tile_cycles(chunks, columns),
            second=each * chunks * ragged,
            tail=vectors * (1 + short),
            heavy=vectors * long,
            scratch=4 * padded if self._pads else 0,
            regions=1 + self._pads,
        )

    def prim_func(self) -> Any:
        """The scheduled function."""
        tvm = load_tvm()
        schedule = tvm.s_tir.Schedule(tvm.te.create_prim_func(self._expression(tvm.te, tvm.tirx)))
        self._schedule(schedule)
        return scheduled(schedule)

    def _expression(self, te: Any, tir: Any) -> list[Any]:
        w = self.window
        shape = (
            (self.batch, self.block, *self.size) if self.plain else (self.batch, self.chunks, *self.size, self.block)
        )
        data = te.placeholder(shape, name="data")
        weight = te.placeholder((self.chunks_out, self.chunks_seen, *w.kernel, self.block, self.lanes), name="weight")
        bias = te.placeholder((self.chunks_out, self.lanes), name="bias")
        out = (self.batch, self.chunks_out, *self.out, self.lanes)
        residuals = [te.placeholder(out, name=f"residual{i}") for i in range(self.tail.count(None))]
        padded = self._padded(te, tir, data)

        def at(n: Any, chunk: Any, seen: list[Any], b: Any) -> Any:
            return padded(n, b, *seen) if self.plain else padded(n, chunk, *seen, b)

        ci, cb = te.reduce_axis((0, self.chunks_seen), name="ci"), te.reduce_axis((0, self.block), name="cb")
        ks = [te.reduce_axis((0, k), name=f"k{axis}") for axis, k in enumerate(w.kernel)]
        grouped = self.chunks_seen != self.chunks

        def product(n: Any, o: Any, *rest: Any) -> Any:
            *places, lane = rest
            chunk = o // self.outs_per_group * self.chunks_seen + ci if grouped else ci
            seen = [p * s + k * d for p, s, k, d in zip(places, w.stride, ks, w.dilation, strict=True)]
            return te.sum(at(n, chunk, seen, cb) * weight(o, ci, *ks, cb, lane), axis=[ci, *ks, cb])

        sums = te.compute(out, product, name="sums")
        result = te.compute(
            out,
            lambda *i: finish(tir, sums(*i) + bias[i[1], i[-1]], self.tail, [r(*i) for r in residuals]),
            name="result",
        )
        return [data, weight, bias, *residuals, result]

    @property
    def _pads(self) -> bool:
        return any(self.window.before + self.window.after)

    @property
    def _along_first_axis(self) -> bool:
        """Whether windows reach along the first of three axes alone, as those over time do: neighbours in a window are then
        whole planes apart in memory."""
        return len(self.size) == 3 and self.window.kernel[0] > 1 and self.window.kernel[1:] == (1, 1)

    def _padded(self, te: Any, tir: Any, data: Any) -> Any:
        if not self._pads:
            return data
        w, end = self.window, 2 + len(self.size)
        shape = [int(n) for n in data.shape]
        shape[2:end] = [n + b + a for n, b, a in zip(self.size, w.before, w.after, strict=True)]

        def element(*i: Any) -> Any:
            at = [p - b for p, b in zip(i[2:end], w.before, strict=True)]
            inside = tir.all(*(c for p, n in zip(at, self.size, strict=True) for c in (p >= 0, p < n)))
            return tir.if_then_else(inside, data(*i[:2], *at, *i[end:]), tir.const(0, "float32"))

        return te.compute(shape, element, name="padded")

    def _schedule(self, s: Any) -> None:
        rank = len(self.size)
        if self._pads:
            loops = s.get_loops(s.get_sblock("padded"))
            s.parallel(s.fuse(*loops[: 1 + rank]))
            if not self.plain:
                s.vectorize(loops[-1])
        sums, result = s.get_sblock("sums"), s.get_sblock("result")
        n, o, *rows, x, lane = s.get_loops(result)
        o_task, o_tile = s.split(o, [None, self.tile[0]])
        x_outer, x_tile = s.split(x, [None, self.tile[1]])
        s.reorder(n, o_task, *rows, x_outer, o_tile, x_tile, lane)
        if not rows:
            piece, x_outer = s.split(x_outer, [None, _TILES])
            rows = [piece]
        if self._along_first_axis:
            # All rows that lie behind one another on the first axis are one task: its part of the input stays in the cache.
            s.reorder(n, rows[1], rows[0], o_task, x_outer, o_tile, x_tile, lane)
            s.parallel(s.fuse(n, rows[1]))
        else:
            s.parallel(s.fuse(n, o_task, *rows))
        s.compute_at(sums, x_outer, preserve_unit_loops=True)
        # Vectors and unrolling come before the reduction is taken apart, so that its start has them too.
        for loop in (o_tile, x_tile):
            s.unroll(loop)
        s.vectorize(lane)
        o_in, *rows_in, x_in, lane_in, ci = s.get_loops(sums)[-2 * rank - 4 : -rank - 1]
        *ks, cb = s.get_loops(sums)[-rank - 1 :]
        cb_outer, cb_inner = s.split(cb, [None, 4 if self.block % 4 == 0 else self.block])
        s.reorder(*rows_in, ci, *ks, cb_outer, cb_inner, o_in, x_in, lane_in)
        for loop in (cb_inner, o_in, x_in):
            s.unroll(loop)
        s.vectorize(lane_in)
        s.decompose_reduction(sums, ci)


def best_tile(chunks_out: int, width: int, lanes: int, registers: int) -> tuple[int, int]:
    """Chunks × columns of accumulators for the registers there are."""
    return ranked_tiles(chunks_out, width, lanes, registers)[0]


def ranked_tiles(chunks_out: int, width: int, lanes: int, registers: int) -> list[tuple[int, int]]:
    """All tiles, the one that should be the fastest first.

    Some registers are left for weights and inputs, and the tile stays under 1024 bytes: TVM puts larger buffers on the
    heap. Eight accumulators hide the latency of a multiply-add; a tile that does not divide the width costs about
    twice.
    """
    most = min(registers - 4, 1023 // (4 * lanes), 24)

    def cost(tile: tuple[int, int]) -> float:
        chunks, columns = tile
        waste = -(-width // columns) * columns / width * (1 if width % columns == 0 else 1.8)
        return waste * max(1.0, 8 / (chunks * columns)) * (1 + 0.3 * (1 / chunks + 1 / columns))

    tiles = [(c, x) for c in (1, 2, 3, 4) if chunks_out % c == 0 for x in range(1, most // c + 1)]
    return sorted(tiles, key=cost)
