"""The numbers of an ONNX file: in it, or in a file beside it, and never from anywhere else."""

from __future__ import annotations

import os
from math import prod
from pathlib import Path
from typing import Any

from cnndsl.disk.files import is_file, open_file
from cnndsl.importing.refuse import EXPORT_AGAIN, Unread

MOST_EXTERNAL = 16_000_000_000
DTYPES = {1: "float32", 2: "uint8", 3: "int8", 5: "int16", 6: "int32", 7: "int64", 9: "bool", 10: "float16", 11: "float64", 16: "bfloat16"}  # fmt: skip
"""The kinds of numbers by ONNX's code for them."""


def dtype_of(code: int) -> str:
    """The kind of number that ONNX has this code for. Raises `Unread`."""
    if code not in DTYPES:
        raise Unread(
            f"it holds numbers of the kind {code}, which are not understood",
            "export the network with float32",
            f"expected: {', '.join(DTYPES.values())}",
        )
    return DTYPES[code]


def array_of(tensor: Any, folder: Path | None) -> Any:
    """The numbers of a tensor. Raises `Unread`."""
    import numpy as np

    dtype, name = dtype_of(tensor.data_type), tensor.name[:60]
    shape = tuple(tensor.dims)
    if any(n < 0 for n in shape) or prod(shape) > 2**40:
        raise Unread(f"the array `{name}` has no shape that can be", EXPORT_AGAIN, f"found: {shape}")
    stored = np.dtype("uint16" if dtype == "bfloat16" else dtype)
    if tensor.data_location == 1:
        data = _external(tensor, folder, prod(shape) * stored.itemsize)
        flat = np.frombuffer(data, stored.newbyteorder("<"))
    elif tensor.HasField("raw_data"):
        flat = np.frombuffer(tensor.raw_data, stored.newbyteorder("<"))
    else:
        field = {"float32": "float_data", "float64": "double_data", "int64": "int64_data", "float16": "int32_data"}
        numbers = getattr(tensor, field.get(dtype, "int32_data"))
        flat = np.asarray(numbers)
        flat = flat.astype("uint16").view("float16") if dtype == "float16" else flat.astype(stored)
    if flat.size != prod(shape):
        raise Unread(
            f"the array `{name}` has {flat.size:,} numbers for the shape {shape}",
            EXPORT_AGAIN,
            f"expected: {prod(shape):,} numbers",
        )
    if dtype == "bfloat16":
        return (flat.astype("uint32") << 16).view("float32").reshape(shape)
    return flat.astype(dtype, copy=False).reshape(shape)


def _external(tensor: Any, folder: Path | None, size: int) -> bytes:
    """An array's bytes from a file beside the model: never from elsewhere, never beyond its end."""
    entries = {entry.key: entry.value for entry in tensor.external_data}
    name, location, offset = tensor.name[:60], entries.get("location", ""), int(entries.get("offset", "0"))
    if folder is None or not location or "\0" in location:
        raise Unread(
            f"the array `{name}` lies in a file that was not given",
            "export the network again, with its weights inside of the file",
            f"found: the location `{location[:60]}`",
        )
    root = Path(os.path.realpath(folder))
    path = Path(os.path.realpath(root / location))
    if not path.is_relative_to(root):
        raise Unread(
            f"the array `{name}` lies outside of the model's folder",
            "move the data into the folder of the model, and say so in it; nothing elsewhere is read",
            f"found: the location `{location[:60]}`",
        )
    if size > MOST_EXTERNAL or offset < 0:
        raise Unread(
            f"the array `{name}` is too large",
            "give a smaller network",
            f"expected: at most {MOST_EXTERNAL:,} bytes, from 0 on; found: {size:,} from {offset:,} on",
        )
    if not is_file(path):
        raise Unread(
            f"its weights lie in the file `{location[:60]}`, which is not beside it",
            f"put `{location[:60]}` into the folder of the model: the two files are one network",
            f"expected: `{path}`",
        )
    with open_file(path) as file:
        file.seek(offset)
        data = file.read(size)
    if len(data) != size:
        raise Unread(
            f"the array `{name}` reaches beyond the end of its file",
            f"fetch `{location[:60]}` again: it is cut off, or of another model",
            f"expected: {size:,} bytes from {offset:,} on; found: {len(data):,}",
        )
    return data
