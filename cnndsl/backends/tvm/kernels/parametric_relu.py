"""The rectifier with trained slopes, over packed maps."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from cnndsl.backends.tvm.kernels.words.finished import scheduled
from cnndsl.backends.tvm.library import load_tvm


@dataclass(frozen=True)
class ParametricReLU:
    """Arguments: input `(batch, chunks, *size, lanes)`, slopes `(chunks, lanes)`, output as the input."""

    batch: int
    chunks: int
    size: tuple[int, ...]
    lanes: int

    def prim_func(self) -> Any:
        """The scheduled function."""
        tvm = load_tvm()
        te, tir = tvm.te, tvm.tirx
        shape = (self.batch, self.chunks, *self.size, self.lanes)
        data = te.placeholder(shape, name="data")
        slopes = te.placeholder((self.chunks, self.lanes), name="slopes")
        zero = tir.const(0, "float32")

        def element(n: Any, chunk: Any, *rest: Any) -> Any:
            x = data(n, chunk, *rest)
            return tir.max(x, zero) + slopes(chunk, rest[-1]) * tir.min(x, zero)

        result = te.compute(shape, element, name="result")
        s = tvm.s_tir.Schedule(te.create_prim_func([data, slopes, result]))
        *outer, x, lane = s.get_loops(s.get_sblock("result"))
        if len(self.size) == 1:
            # A map of one axis has no rows to share out: pieces of 64 positions take their place.
            piece, _ = s.split(x, [None, 64])
            outer.append(piece)
        s.parallel(s.fuse(*outer))
        s.vectorize(lane)
        return scheduled(s)
