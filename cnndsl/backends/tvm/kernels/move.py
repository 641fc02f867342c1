"""Moving channels between packed maps: each vector of the result is put together from vectors of the sources."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from cnndsl.backends.tvm.library import load_tvm

_OPAQUE = 8


@dataclass(frozen=True)
class Move:
    """Arguments: sources `(batch, chunks[i], *size, lanes)`, result `(batch, chunks, *size, lanes)`."""

    batch: int
    size: tuple[int, ...]
    lanes: int
    chunks: tuple[int, ...]
    """Chunks of each source."""
    table: tuple[tuple[int, int], ...]
    """For each channel of the result the source and its channel; the last chunk is filled up with zeros."""
    vectors: bool = True
    """Whether the target has shuffles of vectors; otherwise numbers move one by one."""

    def prim_func(self) -> Any:
        """The finished function: parallel over rows, one loop over the row for each chunk."""
        load_tvm()
        from tvm.script.ir_builder import IRBuilder
        from tvm.tirx.script.builder import ir as t

        out = -(-len(self.table) // self.lanes)
        with IRBuilder() as builder, t.prim_func(s_tir=True):
            t.func_name("main")
            sources = [
                t.arg(f"source{i}", t.buffer((self.batch, count, *self.size, self.lanes), "float32"))
                for i, count in enumerate(self.chunks)
            ]
            result = t.arg("result", t.buffer((self.batch, out, *self.size, self.lanes), "float32"))
            # TVM's passes look for a block around the whole of a function.
            with t.sblock("root"), t.parallel(self.batch * self.size[0]) as task:
                for chunk in range(out):
                    with t.grid(*self.size[1:], 1, 1) as rest:
                        at = (task // self.size[0], task % self.size[0], *rest[:-2])
                        self._chunk(t, sources, result, chunk, at)
        return builder.get().with_attr("tirx.is_scheduled", True).with_attr("op_pattern", _OPAQUE)

    def _chunk(self, t: Any, sources: list[Any], result: Any, chunk: int, at: tuple[Any, ...]) -> None:
        """One vector of the result, at batch and position `at`."""
        tir, lanes = load_tvm().tirx, self.lanes
        entries = self.table[chunk * lanes : (chunk + 1) * lanes]
        n, *position = at
        if not self.vectors:
            for lane, (source, channel) in enumerate(entries):
                value = sources[source][n, channel // lanes, *position, channel % lanes]
                t.buffer_store(result, value, [n, chunk, *position, lane])
            for lane in range(len(entries), lanes):
                t.buffer_store(result, tir.const(0, "float32"), [n, chunk, *position, lane])
            return
        ramp = tir.Ramp(0, 1, lanes)
        needed = sorted({(source, channel // lanes) for source, channel in entries})
        loaded = [tir.BufferLoad(sources[source], [n, k, *position, ramp]) for source, k in needed]
        places = [needed.index((source, channel // lanes)) * lanes + channel % lanes for source, channel in entries]
        if len(places) < lanes:
            zeros = len(loaded) * lanes
            loaded.append(tir.Broadcast(tir.const(0, "float32"), lanes))
            places += [zeros] * (lanes - len(places))
        moved = loaded[0] if places == list(range(lanes)) else tir.Shuffle(loaded, places)
        t.buffer_store(result, moved, [n, chunk, *position, ramp])


@dataclass(frozen=True)
class Joined:
    """Computes nothing, and says: the first argument, a buffer, is complete once the others, its slices, have been
    written.

    Without this call TVM would not know that whoever reads the buffer needs the slices.
    """

    shape: tuple[int, ...]
    parts: tuple[tuple[int, ...], ...]
    dtype: str = "float32"

    def prim_func(self) -> Any:
        """The empty function."""
        load_tvm()
        from tvm.script.ir_builder import IRBuilder
        from tvm.tirx.script.builder import ir as t

        with IRBuilder() as builder, t.prim_func(s_tir=True):
            t.func_name("main")
            for i, shape in enumerate((self.shape, *self.parts)):
                t.arg(f"data{i}", t.buffer(shape, self.dtype))
            t.evaluate(0)
        return builder.get().with_attr("tirx.is_scheduled", True).with_attr("op_pattern", _OPAQUE)
