"""Translations of ONNX operations that make one number of several along axes."""

from __future__ import annotations

from dataclasses import replace

from cnndsl.importing.readers.onnx.model import Operation
from cnndsl.importing.readers.onnx.reader import Reader


def reduce(reader: Reader, operation: Operation) -> None:
    shape, given = reader.shape(operation.inputs[0]), operation.attributes
    array = reader.array(operation, 1)
    axes = given.get("axes") if array is None else [int(n) for n in array.reshape(-1)]
    if not axes and given.get("noop_with_empty_axes", 0):
        reader.same(operation)
        return
    axes = sorted(n % len(shape) for n in (axes or range(len(shape))))
    keep = bool(given.get("keepdims", 1))
    left = tuple(1 if n in axes else size for n, size in enumerate(shape) if keep or n not in axes)
    target = {
        "ReduceMean": "mean",
        "ReduceMax": "amax",
        "ReduceSum": "sum",
        "ReduceL2": "linalg_vector_norm",
        "ReduceMin": "amin",
    }[operation.kind]
    one_each = len(left) == 1 and 0 not in axes
    arguments = {"self": reader.ref(operation.inputs[0]), "dim": axes, "keepdim": keep or one_each}
    if target == "linalg_vector_norm":
        arguments["ord"] = 2
    if one_each:
        # One number for each example is no tensor of the language before it is laid out: its axes stay until then.
        name = f"{operation.outputs[0]}.kept"
        reader.emit(operation, target, arguments, (left[0], *(1 for _ in shape[1:])), name)
        reader.emit(operation, "reshape", {"self": reader.ref(name)}, left)
        return
    reader.emit(operation, target, arguments, left)


SUMS_OF = {
    "ReduceL1": ("abs", {}),
    "ReduceSumSquare": ("pow", {"exponent": 2}),
    "ReduceLogSum": (None, {}),
    "ReduceLogSumExp": ("exp", {}),
}


def reduce_of(reader: Reader, operation: Operation) -> None:
    """A sum of absolute numbers or squares, or its logarithm."""
    (name,), source = operation.outputs, operation.inputs[0]
    first, more = SUMS_OF[operation.kind]
    logarithm = operation.kind.startswith("ReduceLog")
    operation = replace(operation, kind="ReduceSum")
    if first is not None:
        reader.emit(operation, first, {"self": reader.ref(source), **more}, reader.shape(source), f"{name}.each")
        operation = replace(operation, inputs=(f"{name}.each", *operation.inputs[1:]))
    if not logarithm:
        reduce(reader, operation)
        return
    reduce(reader, replace(operation, outputs=(f"{name}.sum",)))
    reader.emit(operation, "log", {"self": reader.ref(f"{name}.sum")}, reader.shape(f"{name}.sum"))


def global_pool(reader: Reader, operation: Operation) -> None:
    shape = reader.shape(operation.inputs[0])
    target = "mean" if operation.kind == "GlobalAveragePool" else "amax"
    arguments = {"self": reader.ref(operation.inputs[0]), "dim": list(range(2, len(shape))), "keepdim": True}
    reader.emit(operation, target, arguments, (*shape[:2], *(1,) * (len(shape) - 2)))
