"""TensorFlow's checkpoints: `NAME.index` is a sorted table of keys, `NAME.data-00000-of-00001` the numbers."""

from __future__ import annotations

from collections.abc import Iterator
from math import prod
from typing import TYPE_CHECKING, BinaryIO

from cnndsl.arrays.foreign.protobuf import DTYPES, fields, shape_of, varint

if TYPE_CHECKING:
    import numpy as np

    Arrays = dict[str, np.ndarray]

MOST_INDEX = 100_000_000
MAGIC = 0xDB4775248B80FB57
_FOOTER = 48


def read_tf_checkpoint(index: BinaryIO, data: BinaryIO) -> Arrays:
    """The arrays by key, of checkpoints whose numbers lie in one file. Raises ValueError."""
    import numpy as np

    table = index.read(MOST_INDEX + 1)
    if not _FOOTER <= len(table) <= MOST_INDEX or int.from_bytes(table[-8:], "little") != MAGIC:
        raise ValueError("it is no index of a checkpoint")
    footer = table[-_FOOTER:]
    # Two handles: of a block that nobody uses, and of the block that lists the others.
    at = 0
    for _ in range(2):
        _, at = varint(footer, at)
    start, at = varint(footer, at)
    size, _ = varint(footer, at)
    arrays: Arrays = {}
    stream = np.memmap(data, mode="r", dtype=np.uint8)
    for _, handle in _entries(_block(table, start, size)):
        start, at = varint(handle, 0)
        size, _ = varint(handle, at)
        for key, entry in _entries(_block(table, start, size)):
            if key and (array := _array(stream, entry)) is not None:
                arrays[key.decode("utf-8", "replace")] = array
    if not arrays:
        raise ValueError("it holds no arrays")
    return arrays


def _block(table: bytes, start: int, size: int) -> bytes:
    if start + size + 1 > len(table):
        raise ValueError("its index points outside the file")
    if table[start + size]:
        raise ValueError("its index is compressed, which is not read")
    return table[start : start + size]


def _entries(block: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Keys and values; each key repeats only what differs from the one before it."""
    if len(block) < 4:
        raise ValueError("its index has an empty block")
    restarts = int.from_bytes(block[-4:], "little")
    end, at, key = len(block) - 4 * (restarts + 1), 0, b""
    while at < end:
        shared, at = varint(block, at)
        own, at = varint(block, at)
        length, at = varint(block, at)
        if at + own + length > end or shared > len(key):
            raise ValueError("its index has an entry that does not end")
        key = key[:shared] + block[at : at + own]
        yield key, block[at + own : at + own + length]
        at += own + length


def _array(data: np.ndarray, entry: bytes) -> np.ndarray | None:
    """A `BundleEntryProto`; None for what is no plain array. Raises ValueError."""
    import numpy as np

    known = dict(fields(entry))
    kind, shard, offset, size = (known.get(number, 0) for number in (1, 3, 4, 5))
    if kind not in DTYPES:
        return None
    described = known.get(2, b"")
    shape = shape_of(described if isinstance(described, bytes) else b"")
    dtype = np.dtype(DTYPES[int(kind)])
    if not isinstance(offset, int) or not isinstance(size, int) or shard != 0:
        raise ValueError("an array of it lies in another file")
    if size != prod(shape) * dtype.itemsize or offset + size > len(data):
        raise ValueError("an array of it lies outside the file of numbers")
    return np.frombuffer(data[offset : offset + size].tobytes(), dtype).reshape(shape)
