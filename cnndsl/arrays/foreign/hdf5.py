"""Keras' weights in HDF5 (`.h5`, `.hdf5`, `.keras` are not the same): every array by its path in the file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, BinaryIO

from cnndsl.diagnostics.errors import MissingPart

if TYPE_CHECKING:
    import numpy as np

    Arrays = dict[str, np.ndarray]

MOST_BYTES = 4 * 10**9
MOST_ARRAYS = 100_000


def read_hdf5(file: BinaryIO) -> Arrays:
    """The arrays of numbers by path. Raises ValueError, and `MissingPart` without h5py."""
    try:
        import h5py
    except ImportError:
        raise MissingPart("reading HDF5 takes h5py", "run `pip install 'cnndsl[weights]'`") from None
    arrays: Arrays = {}
    size = 0

    def take(path: str, found: Any) -> None:
        nonlocal size
        if not isinstance(found, h5py.Dataset) or found.dtype.kind not in "fiu" or found.dtype.hasobject:
            return
        size += found.size * found.dtype.itemsize
        if size > MOST_BYTES or len(arrays) >= MOST_ARRAYS:
            raise ValueError(f"it holds more than {MOST_BYTES:,} bytes")
        arrays[path] = found[()]

    try:
        with h5py.File(file, "r") as opened:
            opened.visititems(take)
    except Exception as error:
        raise ValueError("it is no HDF5 file that holds arrays alone") from error
    if not arrays:
        raise ValueError("it holds no arrays")
    return arrays
