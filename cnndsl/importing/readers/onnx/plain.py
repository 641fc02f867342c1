"""Translations of ONNX operations without weights: activations and arithmetic; the table of all of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from math import prod
from typing import Any

from cnndsl.importing.readers.onnx.choices import equal, where
from cnndsl.importing.readers.onnx.model import Operation
from cnndsl.importing.readers.onnx.numbers import short
from cnndsl.importing.readers.onnx.reader import Reader, Translator, Untranslated
from cnndsl.importing.readers.onnx.reductions import SUMS_OF, global_pool, reduce, reduce_of
from cnndsl.importing.readers.onnx.resizing import resize
from cnndsl.importing.readers.onnx.shaping import (
    concat,
    depth_to_space,
    expand,
    gather,
    pad,
    reshape,
    slice_,
    space_to_depth,
    split,
    transpose,
)
from cnndsl.importing.trace import Node

_ACTIVATIONS = {
    "Relu": "relu", "Sigmoid": "sigmoid", "Tanh": "tanh", "Softplus": "softplus", "Mish": "mish", "HardSwish": "hardswish",
    "Erf": "erf", "Exp": "exp", "Log": "log", "Sqrt": "sqrt", "Abs": "abs", "Neg": "neg", "Sin": "sin", "Cos": "cos",
    "Reciprocal": "reciprocal",
}  # fmt: skip


def activation(reader: Reader, operation: Operation) -> None:
    given, kind = operation.attributes, operation.kind
    arguments: dict[str, Any] = {"self": reader.ref(operation.inputs[0])}
    target = _ACTIVATIONS.get(kind, kind.lower())
    if kind == "LeakyRelu":
        target, arguments = "leaky_relu", {**arguments, "negative_slope": short(given.get("alpha", 0.01))}
    elif kind in ("Elu", "Celu"):
        arguments |= {"alpha": short(given.get("alpha", 1.0))}
    elif kind == "Swish":
        if given.get("alpha", 1.0) != 1:
            raise Untranslated("Swish with a factor")
        target = "silu"
    elif kind == "Gelu":
        arguments |= {"approximate": given.get("approximate", "none")}
    elif kind == "Selu":
        alpha, gamma = given.get("alpha", 1.6732632), given.get("gamma", 1.0507009)
        if abs(alpha - 1.6732632) > 1e-6 or abs(gamma - 1.0507009) > 1e-6:
            raise Untranslated("Selu with other numbers than its own")
    elif kind == "HardSigmoid":
        slope, offset = given.get("alpha", 0.2), given.get("beta", 0.5)
        if abs(slope - 1 / 6) > 1e-6 or abs(offset - 0.5) > 1e-6:
            arguments |= {"slope": short(slope), "offset": short(offset)}
    reader.emit(operation, target, arguments, reader.shape(operation.inputs[0]))


def softmax(reader: Reader, operation: Operation) -> None:
    shape = reader.shape(operation.inputs[0])
    axis = operation.attributes.get("axis", -1 if reader.model.opset >= 13 else 1) % len(shape)
    if reader.model.opset < 13 and axis != len(shape) - 1 and prod(shape[axis + 1 :]) != 1:
        raise Untranslated(f"{operation.kind} over several axes at once")
    target = "softmax" if operation.kind == "Softmax" else "log_softmax"
    reader.emit(operation, target, {"self": reader.ref(operation.inputs[0]), "dim": axis}, shape)


def clip(reader: Reader, operation: Operation) -> None:
    given = operation.attributes
    low, high = (
        (given.get("min"), given.get("max"))
        if reader.model.opset < 11
        else (None if a is None else a.item() for a in (reader.array(operation, 1), reader.array(operation, 2)))
    )
    if low is None and high is None:
        reader.same(operation)
        return
    arguments = {"self": reader.ref(operation.inputs[0]), "min": low, "max": high}
    reader.emit(operation, "clamp", arguments, reader.shape(operation.inputs[0]))


_ARITHMETIC = {"Add": "add", "Sub": "sub", "Mul": "mul", "Div": "div", "Pow": "pow"}


def arithmetic(reader: Reader, operation: Operation) -> None:
    import numpy as np

    a, b = operation.inputs
    if operation.attributes.get("axis") is not None or (
        reader.model.opset < 7 and reader.shape(a) != reader.shape(b) and not operation.attributes.get("broadcast")
    ):
        raise Untranslated(f"{operation.kind} along a chosen axis")
    shape = np.broadcast_shapes(reader.shape(a), reader.shape(b))
    target = _ARITHMETIC[operation.kind]
    if target == "mul" and a == b:
        reader.emit(operation, "pow", {"self": reader.argument(a), "exponent": 2}, tuple(shape))
        return
    if target in ("add", "mul"):
        for value, other in ((a, b), (b, a)):
            if other in reader.arrays and value not in reader.arrays and reader.arrays[other].size > 1:
                if target == "add" and _biased(reader, operation, value, reader.arrays[other]):
                    return
                if _folded(reader, operation, value, reader.arrays[other]):
                    return
                if _scaled(reader, operation, target, value, other):
                    return
        if a in reader.arrays:
            a, b = b, a
    names = ("self", "exponent") if target == "pow" else ("self", "other")
    arguments = dict(zip(names, (reader.argument(a), reader.argument(b)), strict=True))
    reader.emit(operation, target, arguments, tuple(shape))


def _folded(reader: Reader, operation: Operation, value: str, array: Any) -> bool:
    """A factor or summand for each channel behind a norm, or a summand behind a convolution that has none: part of its
    weights."""
    node = reader.nodes.get(reader.ref(value).name)
    if node is None or reader.reads.get(value, 0) != 1:
        return False
    rank = len(node.shape)
    channels = node.shape[1]
    if array.size != channels or array.ndim > rank or (1,) * (rank - array.ndim) + array.shape != (
        1, channels, *(1,) * (rank - 2)
    ):  # fmt: skip
        return False
    flat = array.reshape(-1)
    arguments = dict(node.arguments)
    convolution = node.target.startswith("conv")
    if node.target not in ("batch_norm", "conv1d", "conv2d", "conv3d") or (convolution and operation.kind != "Add"):
        return False
    if convolution and arguments["bias"] is not None:
        return False
    label = arguments["weight"].name.removesuffix(".weight")
    bias = arguments["bias"]
    if operation.kind == "Mul":
        arguments["weight"] = reader.weight(label, "weight", reader.values[arguments["weight"].name] * flat)
        arguments["bias"] = reader.weight(label, "bias", reader.values[bias.name] * flat)
    else:
        arguments["bias"] = reader.weight(label, "bias", flat if bias is None else reader.values[bias.name] + flat)
    del reader.nodes[node.name]
    reader.nodes[operation.outputs[0]] = replace(node, name=operation.outputs[0], arguments=arguments)
    reader.shapes[operation.outputs[0]] = node.shape
    return True


def _biased(reader: Reader, operation: Operation, value: str, array: Any) -> bool:
    """A sum that is the bias of the product before it."""
    ref = reader.ref(value)
    node = reader.nodes.get(ref.name)
    if node is None or node.target != "linear" or node.arguments["bias"] is not None or reader.reads.get(value, 0) != 1:
        return False
    if array.size != node.shape[-1] or array.shape[-1] != array.size:
        return False
    label = node.arguments["weight"].name.removesuffix(".weight")
    bias = reader.weight(label, "bias", array.reshape(-1))
    del reader.nodes[ref.name]
    made = Node(operation.outputs[0], "linear", {**node.arguments, "bias": bias}, node.shape, "float32", node.scope)
    reader.nodes[made.name] = made
    reader.shapes[made.name] = made.shape
    return True


def _scaled(reader: Reader, operation: Operation, target: str, value: str, other: str) -> bool:
    """A product with one number for each channel, or a sum with one for each position: a trained tensor."""
    array, shape = reader.arrays[other], reader.shape(value)
    if target == "mul":
        sizes = [n for n in array.shape if n != 1]
        place = len(shape) - array.ndim + next((n for n, size in enumerate(array.shape) if size != 1), 0)
        if len(sizes) != 1 or place not in (1, len(shape) - 1) or shape[place] != sizes[0]:
            return False
        array = array.reshape(sizes[0], *(1,) * (len(shape) - 1 - place))
    elif array.shape[-len(shape) + 1 :] != shape[1:]:
        return False
    else:
        array = array.reshape(1, *shape[1:])
    label = reader.label(other, "")
    weight = reader.weight(label, "", array)
    reader.emit(operation, target, {"self": reader.ref(value), "other": weight}, shape)
    return True


_SEVERAL = {"Sum": "add", "Max": "maximum", "Min": "minimum", "Mean": ""}


def several(reader: Reader, operation: Operation) -> None:
    import numpy as np

    if len(operation.inputs) == 1:
        reader.same(operation)
        return
    numbers = [n for n in operation.inputs if n in reader.arrays]
    if (
        numbers
        and len(operation.inputs) == 2
        and operation.kind in ("Max", "Min")
        and reader.arrays[numbers[0]].size == 1
    ):
        (x,) = (n for n in operation.inputs if n not in reader.arrays)
        bound = reader.arrays[numbers[0]].item()
        low, high = (bound, None) if operation.kind == "Max" else (None, bound)
        if low == 0:
            reader.emit(operation, "relu", {"self": reader.ref(x)}, reader.shape(x))
            return
        reader.emit(operation, "clamp", {"self": reader.ref(x), "min": low, "max": high}, reader.shape(x))
        return
    if operation.kind == "Mean":
        shapes = [reader.shape(name) for name in operation.inputs]
        tensors = [reader.argument(name) for name in operation.inputs]
        reader.emit(operation, "mean of branches", {"tensors": tensors}, tuple(np.broadcast_shapes(*shapes)))
        return
    done, *rest = operation.inputs
    for number, other in enumerate(rest, 1):
        shape = tuple(np.broadcast_shapes(reader.shape(done), reader.shape(other)))
        name = operation.outputs[0] if number == len(rest) else f"{operation.outputs[0]}.{number}"
        arguments = {"self": reader.argument(done), "other": reader.argument(other)}
        reader.emit(operation, _SEVERAL[operation.kind], arguments, shape, name)
        done = name


def softsign(reader: Reader, operation: Operation) -> None:
    (name,), x = operation.outputs, reader.ref(operation.inputs[0])
    shape = reader.shape(operation.inputs[0])
    reader.emit(operation, "abs", {"self": x}, shape, f"{name}.size")
    reader.emit(operation, "add", {"self": reader.ref(f"{name}.size"), "other": 1.0}, shape, f"{name}.more")
    reader.emit(operation, "div", {"self": x, "other": reader.ref(f"{name}.more")}, shape)


def dropout(reader: Reader, operation: Operation) -> None:
    ratio, training = reader.array(operation, 1), reader.array(operation, 2)
    if training is not None and bool(training.any()):
        raise Untranslated("Dropout in training")
    if len([name for name in operation.outputs if name and reader.reads.get(name)]) > 1:
        raise Untranslated("Dropout whose mask is used")
    p = operation.attributes.get("ratio", 0.5) if ratio is None else float(ratio)
    arguments = {"input": reader.ref(operation.inputs[0]), "p": short(p), "train": False}
    reader.emit(operation, "dropout", arguments, reader.shape(operation.inputs[0]))


def identity(reader: Reader, operation: Operation) -> None:
    if operation.kind == "Cast" and operation.attributes["to"] != 1:
        raise Untranslated("Cast to another kind of number")
    reader.same(operation)


PLAIN: Mapping[str, Translator] = {
    **dict.fromkeys((*_ACTIVATIONS, "LeakyRelu", "Elu", "Celu", "Gelu", "Selu", "HardSigmoid", "Swish"), activation),
    **dict.fromkeys(("Softmax", "LogSoftmax"), softmax),
    **dict.fromkeys(_ARITHMETIC, arithmetic),
    **dict.fromkeys(_SEVERAL, several),
    **dict.fromkeys(("ReduceMean", "ReduceMax", "ReduceMin", "ReduceSum", "ReduceL2"), reduce),
    **dict.fromkeys(("GlobalAveragePool", "GlobalMaxPool"), global_pool),
    **dict.fromkeys(("Reshape", "Flatten", "Squeeze", "Unsqueeze"), reshape),
    **dict.fromkeys(("Identity", "Cast"), identity),
    **dict.fromkeys(("Resize", "Upsample"), resize),
    **dict.fromkeys(SUMS_OF, reduce_of),
    "Softsign": softsign,
    "Equal": equal,
    "Where": where,
    "Clip": clip,
    "Transpose": transpose,
    "Concat": concat,
    "Split": split,
    "Slice": slice_,
    "Gather": gather,
    "Expand": expand,
    "Pad": pad,
    "Dropout": dropout,
    "DepthToSpace": depth_to_space,
    "SpaceToDepth": space_to_depth,
}
