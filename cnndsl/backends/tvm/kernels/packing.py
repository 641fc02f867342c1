"""Between plain maps `(batch, channels, *size)`, or with their channels on another axis, and packed ones
`(batch, chunks, *size, lanes)`: weights with NumPy at compile time, tensors by a kernel."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cnndsl.backends.tvm.kernels.generic import scheduled
from cnndsl.backends.tvm.library import load_tvm

if TYPE_CHECKING:
    import numpy as np


@dataclass(frozen=True)
class Repack:
    """`pack` fills the last chunk up with zeros, otherwise they are dropped. Arguments: input, output."""

    pack: bool
    batch: int
    channels: int
    size: tuple[int, ...]
    lanes: int
    channel_axis: int = 0

    def prim_func(self) -> Any:
        """The scheduled function."""
        tvm = load_tvm()
        te, tir, lanes = tvm.te, tvm.tirx, self.lanes
        axis = 1 + self.channel_axis
        plain = (self.batch, *self.size[: axis - 1], self.channels, *self.size[axis - 1 :])
        packed = (self.batch, -(-self.channels // lanes), *self.size, lanes)
        data = te.placeholder(plain if self.pack else packed, name="data")

        def packing(n: Any, c: Any, *rest: Any) -> Any:
            *places, lane = rest
            inside = c * lanes + lane < self.channels
            channel = tir.min(c * lanes + lane, self.channels - 1)
            value = data(n, *places[: axis - 1], channel, *places[axis - 1 :])
            return value if self.channels % lanes == 0 else tir.if_then_else(inside, value, tir.const(0, "float32"))

        def unpacking(*i: Any) -> Any:
            return data(i[0], i[axis] // lanes, *i[1:axis], *i[axis + 1 :], i[axis] % lanes)

        result = te.compute(packed if self.pack else plain, packing if self.pack else unpacking, name="result")
        s = tvm.s_tir.Schedule(te.create_prim_func([data, result]))
        s.parallel(s.fuse(*s.get_loops(s.get_sblock("result"))[: 1 + len(self.size)]))
        return scheduled(s)


def fill_up(array: np.ndarray, axis: int, multiple: int) -> np.ndarray:
    """The array with zeros behind an axis up to a multiple."""
    import numpy as np

    pads = [(0, 0)] * array.ndim
    pads[axis] = (0, -array.shape[axis] % multiple)
    return np.pad(array, pads)


def pack_vector(array: np.ndarray, lanes: int) -> np.ndarray:
    """`(channels,)` → `(chunks, lanes)`."""
    return fill_up(array, 0, lanes).reshape(-1, lanes)


def pack_conv(weight: np.ndarray, block: int, lanes: int) -> np.ndarray:
    """`(out, in, *kernel)` → `(chunks_out, chunks, *kernel, block, lanes)`."""
    import numpy as np

    weight = fill_up(fill_up(weight, 0, lanes), 1, block)
    out, seen, *kernel = weight.shape
    parts = weight.reshape(out // lanes, lanes, seen // block, block, *kernel)
    return np.ascontiguousarray(parts.transpose(0, 2, *range(4, parts.ndim), 3, 1))


def pack_depthwise(weight: np.ndarray, lanes: int) -> np.ndarray:
    """`(channels, seen, *kernel)` → `(chunks, *kernel, seen, lanes)`."""
    import numpy as np

    parts = fill_up(weight, 0, lanes).reshape(-1, lanes, *weight.shape[1:])
    return np.ascontiguousarray(np.moveaxis(parts, (2, 1), (-2, -1)))


def pack_dense(weight: np.ndarray, vectors: int, lanes: int) -> np.ndarray:
    """`(out, in)` → `(blocks, in, vectors, lanes)`."""
    import numpy as np

    filled = fill_up(weight, 0, vectors * lanes)
    parts = filled.reshape(-1, vectors, lanes, weight.shape[1])
    return np.ascontiguousarray(parts.transpose(0, 3, 1, 2))


def pack_flattened(weight: np.ndarray, channels: int, positions: int, lanes: int) -> np.ndarray:
    """Dense weights `(out, channels·positions)` for an input flattened from a packed map: `(out, chunks·positions·lanes)`."""
    parts = fill_up(weight.reshape(-1, channels, positions), 1, lanes)
    return parts.reshape(len(weight), -1, lanes, positions).transpose(0, 1, 3, 2).reshape(len(weight), -1)
