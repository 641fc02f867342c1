"""Translations of ONNX operations that normalise."""

from __future__ import annotations

from typing import Any

from cnndsl.importing.readers.onnx.model import Operation
from cnndsl.importing.readers.onnx.numbers import short
from cnndsl.importing.readers.onnx.reader import Reader, Untranslated
from cnndsl.importing.trace import Ref


def batch_norm(reader: Reader, operation: Operation) -> None:
    arrays = [reader.array(operation, n) for n in range(1, 5)]
    if operation.attributes.get("training_mode", 0) or len([o for o in operation.outputs if o]) > 1:
        raise Untranslated("BatchNormalization in training")
    label = reader.label(operation.inputs[1])
    slots = ("weight", "bias", "running_mean", "running_var")
    arguments = {
        "input": reader.ref(operation.inputs[0]),
        **{slot: reader.weight(label, slot, array) for slot, array in zip(slots, arrays, strict=True)},
        "training": False,
        "momentum": round(1 - operation.attributes.get("momentum", 0.9), 7),
        "eps": short(operation.attributes.get("epsilon", 1e-5)),
    }
    reader.emit(operation, "batch_norm", arguments, reader.shape(operation.inputs[0]))


def layer_norm(reader: Reader, operation: Operation) -> None:
    shape = reader.shape(operation.inputs[0])
    axis = operation.attributes.get("axis", -1) % len(shape)
    scale, bias = reader.array(operation, 1), reader.array(operation, 2)
    if axis < len(shape) - 1:
        over_axes(reader, operation, axis, scale, bias)
        return
    label = reader.label(operation.inputs[1])
    arguments = {
        "input": reader.ref(operation.inputs[0]),
        "normalized_shape": list(shape[axis:]),
        "weight": reader.weight(label, "weight", scale),
        "bias": reader.weight(label, "bias", bias) if bias is not None else None,
        "eps": short(operation.attributes.get("epsilon", 1e-5)),
    }
    reader.emit(operation, "layer_norm", arguments, shape)


def over_axes(reader: Reader, operation: Operation, axis: int, scale: Any, bias: Any) -> None:
    """A norm over several axes, from one on: as the arithmetic that it is, with a tensor for its scale and one for its shift."""
    (name, *_), x = operation.outputs, reader.ref(operation.inputs[0])
    shape = reader.shape(operation.inputs[0])
    if axis == 0:
        raise Untranslated(f"{operation.kind} over the batch")
    ones = (*shape[:axis], *(1,) * (len(shape) - axis))
    axes = list(range(axis, len(shape)))

    def step(part: str, target: str, arguments: dict[str, Any], size: tuple[int, ...]) -> Ref:
        reader.emit(operation, target, arguments, size, f"{name}.{part}" if part else name)
        return reader.ref(f"{name}.{part}" if part else name)

    if operation.kind == "LayerNormalization":
        mean = step("mean", "mean", {"self": x, "dim": axes, "keepdim": True}, ones)
        x = step("centred", "sub", {"self": x, "other": mean}, shape)
    square = step("square", "pow", {"self": x, "exponent": 2}, shape)
    size = step("size", "mean", {"self": square, "dim": axes, "keepdim": True}, ones)
    more = {"self": size, "other": short(operation.attributes.get("epsilon", 1e-5))}
    deviation = step("deviation", "sqrt", {"self": step("more", "add", more, ones)}, ones)
    made = step("normal", "div", {"self": x, "other": deviation}, shape)
    for part, target, array in (("scaled", "mul", scale), ("", "add", bias)):
        if array is not None:
            key = reader.label(operation.inputs[1 if target == "mul" else 2], "")
            weight = reader.weight(key, "", array.reshape(1, *array.shape) if array.ndim < len(shape) else array)
            last = part == "" or bias is None
            made = step("" if last else part, target, {"self": made, "other": weight}, shape)


def rms_norm(reader: Reader, operation: Operation) -> None:
    shape = reader.shape(operation.inputs[0])
    axis = operation.attributes.get("axis", -1) % len(shape)
    if axis < len(shape) - 1:
        over_axes(reader, operation, axis, reader.array(operation, 1), None)
        return
    label = reader.label(operation.inputs[1])
    arguments = {
        "input": reader.ref(operation.inputs[0]),
        "normalized_shape": list(shape[axis:]),
        "weight": reader.weight(label, "weight", reader.array(operation, 1)),
        "eps": short(operation.attributes.get("epsilon", 1e-5)),
    }
    reader.emit(operation, "rms_norm", arguments, shape)


def lp_norm(reader: Reader, operation: Operation) -> None:
    """A length of 1 along an axis."""
    shape, given = reader.shape(operation.inputs[0]), operation.attributes
    axis = given.get("axis", -1) % len(shape)
    if given.get("p", 2) != 2 or axis == 0:
        raise Untranslated("LpNormalization by another power, or over the batch")
    arguments = {"self": reader.ref(operation.inputs[0]), "axes": (axis - 1,)}
    reader.emit(operation, "l2_norm", arguments, shape)


def group_norm(reader: Reader, operation: Operation) -> None:
    shape = reader.shape(operation.inputs[0])
    scale, bias = reader.array(operation, 1), reader.array(operation, 2)
    if scale.shape != (shape[1],):
        raise Untranslated("GroupNormalization with one scale for a group")
    label = reader.label(operation.inputs[1])
    arguments = {
        "input": reader.ref(operation.inputs[0]),
        "num_groups": operation.attributes["num_groups"],
        "weight": reader.weight(label, "weight", scale),
        "bias": reader.weight(label, "bias", bias),
        "eps": short(operation.attributes.get("epsilon", 1e-5)),
    }
    reader.emit(operation, "group_norm", arguments, shape)


def instance_norm(reader: Reader, operation: Operation) -> None:
    label = reader.label(operation.inputs[1])
    arguments = {
        "input": reader.ref(operation.inputs[0]),
        "weight": reader.weight(label, "weight", reader.array(operation, 1)),
        "bias": reader.weight(label, "bias", reader.array(operation, 2)),
        "use_input_stats": True,
        "eps": short(operation.attributes.get("epsilon", 1e-5)),
    }
    reader.emit(operation, "instance_norm", arguments, reader.shape(operation.inputs[0]))


def lrn(reader: Reader, operation: Operation) -> None:
    given = operation.attributes
    if given["size"] % 2 == 0:
        raise Untranslated("LRN over an even number of channels")
    arguments = {
        "self": reader.ref(operation.inputs[0]),
        "size": given["size"],
        "alpha": short(given.get("alpha", 1e-4)),
        "beta": short(given.get("beta", 0.75)),
        "k": short(given.get("bias", 1.0)),
    }
    reader.emit(operation, "local_response_norm", arguments, reader.shape(operation.inputs[0]))
