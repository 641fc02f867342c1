"""Weights, packed with NumPy at compile time as the kernels read them."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np


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
    """Dense weights `(out, channels·positions)` for an input flattened from a packed map: `(out,
    chunks·positions·lanes)`."""
    parts = fill_up(weight.reshape(-1, channels, positions), 1, lanes)
    return parts.reshape(len(weight), -1, lanes, positions).transpose(0, 1, 3, 2).reshape(len(weight), -1)
