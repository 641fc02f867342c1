"""An ONNX file's bytes as its graph and arrays, within limits; data beside the file only from its own folder."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any

from cnndsl.diagnostics.errors import MissingPart
from cnndsl.disk.files import open_file
from cnndsl.importing.refuse import Unread

MOST_BYTES = 2**31
MOST_NODES = 100_000
MOST_EXTERNAL = 16_000_000_000
OPSETS = range(6, 29)
_DTYPES = {1: "float32", 2: "uint8", 3: "int8", 5: "int16", 6: "int32", 7: "int64", 9: "bool", 10: "float16", 11: "float64", 16: "bfloat16"}  # fmt: skip


@dataclass(frozen=True)
class Operation:
    """One node of the graph: attributes as plain values, "" for an input that is left out."""

    kind: str
    name: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    attributes: Mapping[str, Any]
    metadata: Mapping[str, str]


@dataclass(frozen=True)
class Model:
    """A whole file: sizes of inputs are None where it leaves them open."""

    name: str
    opset: int
    inputs: tuple[tuple[str, str, tuple[int | None, ...]], ...]
    outputs: tuple[str, ...]
    operations: tuple[Operation, ...]
    arrays: Mapping[str, Any]


def read_model(path: Path) -> Model:
    """The model in a file. Raises `Unread`, `CnnError` (file-not-found) and, without the package onnx, `MissingPart`."""
    with open_file(path) as file:
        data = file.read(MOST_BYTES + 1)
    if len(data) > MOST_BYTES:
        raise Unread(f"it has more than {MOST_BYTES:,} bytes")
    return parse_model(data, path.parent)


def parse_model(data: bytes, folder: Path | None) -> Model:
    """The model of these bytes; arrays beside it are looked for in `folder`, and refused without one. Raises `Unread`."""
    try:
        import onnx
        from google.protobuf.message import DecodeError
    except ImportError as error:
        raise MissingPart(
            f"reading ONNX takes the package onnx ({error})", "run `pip install 'cnndsl[onnx]'`"
        ) from None
    proto = onnx.ModelProto()
    try:
        proto.ParseFromString(data)
    except (DecodeError, ValueError, RecursionError) as error:
        raise Unread("it is no ONNX file, or damaged") from error
    try:
        return _model(proto, folder)
    except (KeyError, TypeError, ValueError, AttributeError, IndexError, OverflowError, UnicodeError) as error:
        raise Unread("it is damaged: its parts do not fit each other") from error


def _model(proto: Any, folder: Path | None) -> Model:
    graph = proto.graph
    if len(graph.node) > MOST_NODES:
        raise Unread(f"it has more than {MOST_NODES:,} operations")
    if not graph.node:
        raise Unread("it has no operations")
    opset = next((o.version for o in proto.opset_import if o.domain in ("", "ai.onnx")), 0)
    if opset not in OPSETS:
        raise Unread(f"it is of opset {opset}, and {OPSETS.start} to {OPSETS.stop - 1} are understood")
    if graph.sparse_initializer:
        raise Unread("it holds sparse arrays")
    arrays = {tensor.name: _array(tensor, folder) for tensor in graph.initializer}
    operations = []
    for node in graph.node:
        if node.domain not in ("", "ai.onnx"):
            raise Unread(f"it has operations of the domain `{node.domain[:60]}`, such as `{node.op_type[:60]}`")
        if node.op_type == "Constant":
            arrays[node.output[0]] = _constant(node, folder)
            continue
        operations.append(
            Operation(
                node.op_type,
                node.name,
                tuple(node.input),
                tuple(node.output),
                {a.name: _attribute(a, folder) for a in node.attribute},
                {p.key: p.value for p in node.metadata_props},
            )
        )
    inputs = tuple(
        (value.name, _dtype(value.type.tensor_type.elem_type), _sizes(value))
        for value in graph.input
        if value.name not in arrays
    )
    return Model(graph.name, opset, inputs, tuple(o.name for o in graph.output), tuple(operations), arrays)


def _sizes(value: Any) -> tuple[int | None, ...]:
    if not value.type.HasField("tensor_type") or not value.type.tensor_type.HasField("shape"):
        raise Unread(f"its input `{value.name[:60]}` is no tensor of known rank")
    return tuple(
        dim.dim_value if dim.HasField("dim_value") and dim.dim_value > 0 else None
        for dim in value.type.tensor_type.shape.dim
    )


def _dtype(code: int) -> str:
    if code not in _DTYPES:
        raise Unread(f"it holds numbers of the kind {code}, which are not understood")
    return _DTYPES[code]


def _constant(node: Any, folder: Path | None) -> Any:
    import numpy as np

    (attribute,) = node.attribute
    value = _attribute(attribute, folder)
    if attribute.name in ("value_float", "value_floats"):
        return np.asarray(value, dtype="float32")
    return np.asarray(value)


def _attribute(attribute: Any, folder: Path | None) -> Any:
    kind = attribute.type
    if kind == 1:
        return float(attribute.f)
    if kind == 2:
        return int(attribute.i)
    if kind == 3:
        return attribute.s.decode()
    if kind == 4:
        return _array(attribute.t, folder)
    if kind == 6:
        return [float(n) for n in attribute.floats]
    if kind == 7:
        return [int(n) for n in attribute.ints]
    if kind == 8:
        return [text.decode() for text in attribute.strings]
    raise Unread(f"it has operations that hold other networks (`{attribute.name[:60]}`)")


def _array(tensor: Any, folder: Path | None) -> Any:
    import numpy as np

    dtype = _dtype(tensor.data_type)
    shape = tuple(tensor.dims)
    if any(n < 0 for n in shape) or prod(shape) > 2**40:
        raise Unread(f"the array `{tensor.name[:60]}` has no shape that can be")
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
        raise Unread(f"the array `{tensor.name[:60]}` has {flat.size:,} numbers for the shape {shape}")
    if dtype == "bfloat16":
        return (flat.astype("uint32") << 16).view("float32").reshape(shape)
    return flat.astype(dtype, copy=False).reshape(shape)


def _external(tensor: Any, folder: Path | None, size: int) -> bytes:
    """An array's bytes from a file beside the model: never from elsewhere, never beyond its end."""
    entries = {entry.key: entry.value for entry in tensor.external_data}
    location, offset = entries.get("location", ""), int(entries.get("offset", "0"))
    if folder is None or not location or "\0" in location:
        raise Unread(f"the array `{tensor.name[:60]}` lies in a file that was not given")
    root = Path(os.path.realpath(folder))
    path = Path(os.path.realpath(root / location))
    if not path.is_relative_to(root):
        raise Unread(f"the array `{tensor.name[:60]}` lies outside of the model's folder")
    if size > MOST_EXTERNAL or offset < 0:
        raise Unread(f"the array `{tensor.name[:60]}` is too large")
    with open_file(path) as file:
        file.seek(offset)
        data = file.read(size)
    if len(data) != size:
        raise Unread(f"the array `{tensor.name[:60]}` reaches beyond the end of its file")
    return data
