"""TensorFlow's frozen graphs (`.pb`): the constants in them by the name of their node."""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING, BinaryIO

from cnndsl.arrays.foreign.protobuf import DTYPES, fields, shape_of

if TYPE_CHECKING:
    import numpy as np

    Arrays = dict[str, np.ndarray]

MOST_BYTES = 4 * 10**9
_NODE, _NAME, _OP, _ATTRIBUTE = 1, 1, 2, 5


def read_tf_graph(file: BinaryIO) -> Arrays:
    """Arrays of floating-point numbers by node; other constants of a graph are its plumbing. Raises ValueError."""
    data = file.read(MOST_BYTES + 1)
    if len(data) > MOST_BYTES:
        raise ValueError(f"it has more than {MOST_BYTES:,} bytes")
    arrays: Arrays = {}
    for number, node in fields(data):
        if number == _NODE and isinstance(node, bytes):
            parts = list(fields(node))
            words = {n: value for n, value in parts if n in (_NAME, _OP)}
            if words.get(_OP) != b"Const":
                continue
            for n, attribute in parts:
                if n == _ATTRIBUTE and isinstance(attribute, bytes):
                    entry = dict(fields(attribute))
                    tensor = dict(fields(_bytes(entry.get(2)))).get(8) if entry.get(1) == b"value" else None
                    if isinstance(tensor, bytes) and (array := _tensor(tensor)) is not None:
                        arrays[_bytes(words.get(_NAME)).decode("utf-8", "replace")] = array
    if not arrays:
        raise ValueError("it is no frozen graph with constants")
    return arrays


def _bytes(value: object) -> bytes:
    return value if isinstance(value, bytes) else b""


def _tensor(data: bytes) -> np.ndarray | None:
    """A `TensorProto` of floating-point numbers; None for others. Raises ValueError."""
    import numpy as np

    parts = list(fields(data))
    known = dict(parts)
    kind, shape = known.get(1), shape_of(_bytes(known.get(2)))
    if kind not in (1, 2, 19):
        return None
    dtype = np.dtype(DTYPES[int(kind)])
    content = known.get(4)
    count = prod(shape)
    if isinstance(content, bytes):
        if len(content) != count * dtype.itemsize:
            raise ValueError(f"an array in it has {len(content)} bytes for the shape {shape}")
        return np.frombuffer(content, dtype).reshape(shape)
    # Few numbers stand in a field of their own; the last of them counts for all that are not given.
    numbers = b"".join(value for n, value in parts if n == {1: 5, 2: 6}.get(int(kind)) and isinstance(value, bytes))
    given = np.frombuffer(numbers[: len(numbers) // dtype.itemsize * dtype.itemsize], dtype)
    if not len(given) or count > 1 << 28 or len(given) > max(count, 1):
        return None
    return np.concatenate([given, np.full(count - len(given), given[-1], dtype)]).reshape(shape)
