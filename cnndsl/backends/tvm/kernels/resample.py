"""Positions of a packed map put together from a few positions of another: cuts, padding, upsampling, uneven averages;
and channels that become positions."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from typing import Any

from cnndsl.backends.tvm.kernels.words.finished import scheduled
from cnndsl.backends.tvm.library import load_tvm

_OPAQUE = 8


@dataclass(frozen=True)
class AxisTaps:
    """How many taps each position has on one axis; whether they have factors; whether some of them, at negative
    positions, add nothing (`fills`)."""

    count: int
    weighted: bool
    fills: bool


@dataclass(frozen=True)
class Resample:
    """Arguments: input `(batch, chunks, *size, lanes)`; for each axis that has taps positions and, where they are
    weighted, factors, both `(count, out)`; result `(batch, chunks, *out, lanes)`."""

    batch: int
    chunks: int
    size: tuple[int, ...]
    out: tuple[int, ...]
    lanes: int
    axes: tuple[AxisTaps | None, ...]

    def prim_func(self) -> Any:
        """The scheduled function: parallel over rows, vectors of lanes."""
        tvm = load_tvm()
        te, tir = tvm.te, tvm.tirx
        data = te.placeholder((self.batch, self.chunks, *self.size, self.lanes), name="data")
        positions: list[Any] = []
        factors: list[Any] = []
        for i, (axis, n) in enumerate(zip(self.axes, self.out, strict=True)):
            shape = (axis.count if axis else 0, n)
            positions.append(te.placeholder(shape, "int32", name=f"positions{i}") if axis else None)
            factors.append(te.placeholder(shape, name=f"factors{i}") if axis and axis.weighted else None)
        zero = tir.const(0, "float32")

        def summed(n: Any, c: Any, lane: Any, places: tuple[Any, ...], known: tuple[Any, ...]) -> Any:
            """The sum over the taps of the axes behind the `known` ones."""
            i = len(known)
            if i == len(places):
                return data(n, c, *known, lane)
            axis, table = self.axes[i], positions[i]
            if axis is None:
                return summed(n, c, lane, places, (*known, places[i]))
            total = None
            for tap in range(axis.count):
                at = table[tap, places[i]]
                inside = tir.max(at, 0) if axis.fills else at
                value = summed(n, c, lane, places, (*known, inside))
                value = value * factors[i][tap, places[i]] if axis.weighted else value
                value = tir.Select(at >= 0, value, zero) if axis.fills else value
                total = value if total is None else total + value
            return total

        whole = (self.batch, self.chunks, *self.out, self.lanes)
        result = te.compute(whole, lambda n, c, *rest: summed(n, c, rest[-1], rest[:-1], ()), name="result")
        tables = [t for pair in zip(positions, factors, strict=True) for t in pair if t is not None]
        s = tvm.s_tir.Schedule(te.create_prim_func([data, *tables, result]))
        *outer, x, lane = s.get_loops(s.get_sblock("result"))
        if len(self.out) == 1:
            piece, _ = s.split(x, [None, 64])
            outer.append(piece)
        s.parallel(s.fuse(*outer))
        s.vectorize(lane)
        return scheduled(s)


@dataclass(frozen=True)
class SpreadChannels:
    """`r²` channels in a row become r×r positions of one. Arguments: input `(batch, chunks_in, h, w, lanes)`, result
    `(batch, chunks, r·h, r·w, lanes)`."""

    batch: int
    channels: int
    """Of the result."""
    size: tuple[int, int]
    r: int
    lanes: int
    vectors: bool = True
    """Whether the target has shuffles of vectors; otherwise numbers move one by one."""

    def prim_func(self) -> Any:
        """The finished function: parallel over rows of the input; each vector of the result is put together from `r²`
        of it."""
        load_tvm()
        from tvm.script.ir_builder import IRBuilder
        from tvm.tirx.script.builder import ir as t

        (h, w), lanes, r = self.size, self.lanes, self.r
        chunks, chunks_in = -(-self.channels // lanes), -(-self.channels * r * r // lanes)
        with IRBuilder() as builder, t.prim_func(s_tir=True):
            t.func_name("main")
            data = t.arg("data", t.buffer((self.batch, chunks_in, h, w, lanes), "float32"))
            result = t.arg("result", t.buffer((self.batch, chunks, r * h, r * w, lanes), "float32"))
            # TVM's passes look for a block around the whole of a function.
            with t.sblock("root"), t.parallel(self.batch * h) as task:
                n, y = task // h, task % h
                if whole := self.channels // lanes:
                    with t.grid(whole, w) as (chunk, x):
                        self._position(t, data, result, (n, chunk, y, x), lanes)
                if rest := self.channels % lanes:
                    with t.serial(w) as x:
                        self._position(t, data, result, (n, whole, y, x), rest)
        return builder.get().with_attr("tirx.is_scheduled", True).with_attr("op_pattern", _OPAQUE)

    def _position(self, t: Any, data: Any, result: Any, at: tuple[Any, ...], count: int) -> None:
        """The r×r vectors at one input position, of which `count` lanes are channels and the others zeros."""
        tir, lanes, r = load_tvm().tirx, self.lanes, self.r
        n, chunk, y, x = at
        zero = tir.const(0, "float32")
        first = chunk * (r * r)
        ramp = tir.Ramp(0, 1, lanes)
        for i, j in product(range(r), repeat=2):
            channels = [(lane * r + i) * r + j for lane in range(count)]
            place = [n, chunk, y * r + i, x * r + j]
            if self.vectors:
                used = sorted({c // lanes for c in channels})
                loaded = [tir.BufferLoad(data, [n, first + k, y, x, ramp]) for k in used]
                lanes_of = [used.index(c // lanes) * lanes + c % lanes for c in channels]
                if count < lanes:
                    lanes_of += [len(loaded) * lanes] * (lanes - count)
                    loaded.append(tir.Broadcast(zero, lanes))
                t.buffer_store(result, tir.Shuffle(loaded, lanes_of), [*place, ramp])
                continue
            for lane in range(lanes):
                value = data[n, first + channels[lane] // lanes, y, x, channels[lane] % lanes] if lane < count else zero
                t.buffer_store(result, value, [*place, lane])
