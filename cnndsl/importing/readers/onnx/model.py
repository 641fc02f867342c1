"""An ONNX file's bytes as its graph and arrays, within limits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cnndsl.diagnostics.errors import MissingPart
from cnndsl.disk.files import open_file
from cnndsl.importing.readers.first_bytes import MOST_LOOKED_AT, kind_of
from cnndsl.importing.readers.onnx.arrays import DTYPES, array_of, dtype_of
from cnndsl.importing.refuse import EXPORT_AGAIN, Unread

MOST_BYTES = 2**31
MOST_NODES = 100_000
OPSETS = range(6, 29)


@dataclass(frozen=True)
class Operation:
    """One node of the graph: attributes as plain values, "" for an input that is left out."""

    kind: str
    name: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    attributes: Mapping[str, Any]
    metadata: Mapping[str, str]


Entering = tuple[str, str, tuple[int | None, ...]]
"""A tensor from outside: its name, the kind of its numbers, and its sizes, None for one that the file leaves open."""


@dataclass(frozen=True)
class Model:
    """A whole file, or the part of it between some of its tensors."""

    name: str
    opset: int
    inputs: tuple[Entering, ...]
    outputs: tuple[str, ...]
    operations: tuple[Operation, ...]
    arrays: Mapping[str, Any]
    brain: frozenset[str] = frozenset()
    """The arrays that the file has as bfloat16, and that are float32 here."""


def read_model(path: Path) -> Model:
    """The model in a file. Raises what `read_proto` and `model_of` raise."""
    return model_of(read_proto(path), path.parent)


def parse_model(data: bytes, folder: Path | None) -> Model:
    """The model of these bytes; arrays beside it are looked for in `folder`, and refused without one. Raises `Unread`."""
    return model_of(parse_proto(data), folder)


def read_proto(path: Path) -> Any:
    """The message in a file. Raises `Unread`, `CnnError` (file-not-found) and, without the package onnx, `MissingPart`."""
    with open_file(path) as file:
        data = file.read(MOST_BYTES + 1)
    if len(data) > MOST_BYTES:
        raise Unread(
            f"it has more than {MOST_BYTES:,} bytes",
            "export the network with its weights in a file beside it",
            f"expected: at most {MOST_BYTES:,} bytes",
        )
    return parse_proto(data)


def parse_proto(data: bytes) -> Any:
    """The message of these bytes. Raises `Unread` and `MissingPart`."""
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
        kind = kind_of(data[:MOST_LOOKED_AT])
        raise Unread(
            "it is no ONNX file, or a damaged one",
            kind.help,
            f"expected: an ONNX model; found: {kind.what}, {len(data):,} bytes",
        ) from error
    if not proto.HasField("graph"):
        kind = kind_of(data[:MOST_LOOKED_AT])
        raise Unread(
            "it holds no network",
            kind.help,
            f"expected: an ONNX model; found: {kind.what}" + (f", {len(data):,} bytes" if data else ""),
        )
    return proto


def model_of(proto: Any, folder: Path | None) -> Model:
    """The model that a message says. Raises `Unread`."""
    try:
        return _model(proto, folder)
    except (KeyError, TypeError, ValueError, AttributeError, IndexError, OverflowError, UnicodeError) as error:
        raise Unread("it is damaged: its parts do not fit each other", EXPORT_AGAIN) from error


def _model(proto: Any, folder: Path | None) -> Model:
    graph = proto.graph
    _check(proto)
    arrays = {tensor.name: array_of(tensor, folder) for tensor in graph.initializer}
    operations = []
    for node in graph.node:
        if node.domain not in ("", "ai.onnx"):
            raise Unread(
                f"it has operations of the domain `{node.domain[:60]}`, such as `{node.op_type[:60]}`",
                "export the network with ONNX's own operations, or import the part before them with `--to TENSOR`",
                "expected: operations of ONNX's own domain",
            )
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
    inputs = tuple(entering(value) for value in graph.input if value.name not in arrays)
    outputs = tuple(o.name for o in graph.output)
    brain = frozenset(tensor.name for tensor in graph.initializer if DTYPES.get(tensor.data_type) == "bfloat16")
    return Model(graph.name, opset_of(proto), inputs, outputs, tuple(operations), arrays, brain)


def _check(proto: Any) -> None:
    graph, opset = proto.graph, opset_of(proto)
    if len(graph.node) > MOST_NODES:
        raise Unread(
            f"it has more than {MOST_NODES:,} operations",
            "give a smaller network",
            f"expected: at most {MOST_NODES:,}; found: {len(graph.node):,}",
        )
    if not graph.node:
        raise Unread("it has no operations", "export the network again: a file without operations is no network")
    if opset not in OPSETS:
        raise Unread(
            f"it is of opset {opset}",
            "convert it with `onnx.version_converter.convert_version(model, 17)`, or export it again",
            f"expected: opset {OPSETS.start} to {OPSETS.stop - 1}; found: {opset or 'none'}",
        )
    if graph.sparse_initializer:
        raise Unread("it holds sparse arrays", "export the network with dense arrays")


def opset_of(proto: Any) -> int:
    """The version of ONNX's own operations that a file uses."""
    return next((int(o.version) for o in proto.opset_import if o.domain in ("", "ai.onnx")), 0)


def is_ranked(value: Any) -> bool:
    """Whether a file says how many axes a tensor has."""
    return bool(value.type.HasField("tensor_type") and value.type.tensor_type.HasField("shape"))


def entering(value: Any) -> Entering:
    """What a file says of a tensor. Raises `Unread` for one that is none."""
    if not is_ranked(value):
        raise Unread(
            f"its input `{value.name[:60]}` is no tensor of known rank",
            "export the network with inputs that are tensors of known rank",
            f"found: {value.type.WhichOneof('value') or 'no type'}",
        )
    sizes = tuple(
        dim.dim_value if dim.HasField("dim_value") and dim.dim_value > 0 else None
        for dim in value.type.tensor_type.shape.dim
    )
    return value.name, dtype_of(value.type.tensor_type.elem_type), sizes


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
        return array_of(attribute.t, folder)
    if kind == 6:
        return [float(n) for n in attribute.floats]
    if kind == 7:
        return [int(n) for n in attribute.ints]
    if kind == 8:
        return [text.decode() for text in attribute.strings]
    raise Unread(
        f"it has operations that hold other networks (`{attribute.name[:60]}`)",
        "export the network without loops and branches, or import the part before them with `--to TENSOR`",
        "expected: operations whose attributes are numbers, texts and arrays",
    )
