"""TensorFlow.js' layers models: `model.json` lists the arrays, which lie in files beside it one after another."""

from __future__ import annotations

import json
from collections.abc import Callable
from math import prod
from typing import TYPE_CHECKING, Any, BinaryIO

if TYPE_CHECKING:
    import numpy as np

    Arrays = dict[str, np.ndarray]

MOST_JSON = 50_000_000
MOST_BYTES = 4 * 10**9
_DTYPES = {"float32": "<f4", "int32": "<i4", "uint8": "u1", "bool": "?"}


def read_tfjs(file: BinaryIO, beside: Callable[[str], bytes]) -> Arrays:
    """The arrays by name; `beside` gives what a file of that plain name holds. Raises ValueError."""
    text = file.read(MOST_JSON + 1)
    try:
        groups = json.loads(text)["weightsManifest"] if len(text) <= MOST_JSON else None
        arrays: Arrays = {}
        for group in groups or []:
            paths = [str(path) for path in group["paths"]]
            if odd := [path for path in paths if "/" in path or "\\" in path or path.startswith(".")]:
                raise ValueError(f"it names a file elsewhere, {odd[0][:80]!r}")
            _take(arrays, group["weights"], b"".join(map(beside, paths)))
    except (KeyError, TypeError, AttributeError, RecursionError):
        raise ValueError("it is no list of arrays of TensorFlow.js") from None
    if not arrays:
        raise ValueError("it lists no arrays")
    return arrays


def _take(arrays: Arrays, entries: Any, data: bytes) -> None:
    import numpy as np

    at = 0
    for entry in entries:
        name, shape, kind = str(entry["name"]), entry["shape"], entry["dtype"]
        if "quantization" in entry or kind not in _DTYPES:
            raise ValueError(f"{name[:80]} is stored in a way that is not read")
        if not isinstance(shape, list) or len(shape) > 32 or not all(type(n) is int and n >= 0 for n in shape):
            raise ValueError(f"{name[:80]} has no shape")
        size = prod(shape) * np.dtype(_DTYPES[kind]).itemsize
        if at + size > min(len(data), MOST_BYTES):
            raise ValueError(f"{name[:80]} lies outside the files beside it")
        arrays[name] = np.frombuffer(data[at : at + size], _DTYPES[kind]).reshape(shape)
        at += size
