"""Translations of ONNX operations without weights: activations, arithmetic, shapes, reductions, resizing."""

from __future__ import annotations

from collections.abc import Mapping
from math import floor, prod
from typing import Any

from cnndsl.importing.readers.onnx.layers import short
from cnndsl.importing.readers.onnx.model import Operation
from cnndsl.importing.readers.onnx.reader import Reader, Translator, Untranslated
from cnndsl.importing.trace import Node

_ACTIVATIONS = {
    "Relu": "relu", "Sigmoid": "sigmoid", "Tanh": "tanh", "Softplus": "softplus", "Mish": "mish", "HardSwish": "hardswish",
    "Erf": "erf", "Exp": "exp", "Log": "log", "Sqrt": "sqrt", "Abs": "abs", "Neg": "neg",
}  # fmt: skip


def activation(reader: Reader, operation: Operation) -> None:
    given, kind = operation.attributes, operation.kind
    arguments: dict[str, Any] = {"self": reader.ref(operation.inputs[0])}
    target = _ACTIVATIONS.get(kind, kind.lower())
    if kind == "LeakyRelu":
        target, arguments = "leaky_relu", {**arguments, "negative_slope": short(given.get("alpha", 0.01))}
    elif kind in ("Elu", "Celu"):
        arguments |= {"alpha": short(given.get("alpha", 1.0))}
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
    arguments = {"self": reader.ref(operation.inputs[0]), "min": low, "max": high}
    reader.emit(operation, "clamp", arguments, reader.shape(operation.inputs[0]))


_ARITHMETIC = {"Add": "add", "Sub": "sub", "Mul": "mul", "Div": "div", "Pow": "pow"}


def arithmetic(reader: Reader, operation: Operation) -> None:
    import numpy as np

    a, b = operation.inputs
    shape = np.broadcast_shapes(reader.shape(a), reader.shape(b))
    target = _ARITHMETIC[operation.kind]
    if target in ("add", "mul"):
        for value, other in ((a, b), (b, a)):
            if other in reader.arrays and value not in reader.arrays and reader.arrays[other].size > 1:
                if target == "add" and _biased(reader, operation, value, reader.arrays[other]):
                    return
                if _scaled(reader, operation, target, value, other):
                    return
        if a in reader.arrays:
            a, b = b, a
    names = ("self", "exponent") if target == "pow" else ("self", "other")
    arguments = dict(zip(names, (reader.argument(a), reader.argument(b)), strict=True))
    reader.emit(operation, target, arguments, tuple(shape))


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


_SEVERAL = {"Sum": "add", "Max": "maximum", "Min": "minimum", "Mean": "mean of branches"}


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
    shapes = [reader.shape(name) for name in operation.inputs]
    tensors = [reader.argument(name) for name in operation.inputs]
    reader.emit(operation, _SEVERAL[operation.kind], {"tensors": tensors}, tuple(np.broadcast_shapes(*shapes)))


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
    target = {"ReduceMean": "mean", "ReduceMax": "amax", "ReduceSum": "sum", "ReduceL2": "linalg_vector_norm"}[
        operation.kind
    ]
    arguments = {"self": reader.ref(operation.inputs[0]), "dim": axes, "keepdim": keep}
    if target == "linalg_vector_norm":
        arguments["ord"] = 2
    reader.emit(operation, target, arguments, left)


def global_pool(reader: Reader, operation: Operation) -> None:
    shape = reader.shape(operation.inputs[0])
    target = "mean" if operation.kind == "GlobalAveragePool" else "amax"
    arguments = {"self": reader.ref(operation.inputs[0]), "dim": list(range(2, len(shape))), "keepdim": True}
    reader.emit(operation, target, arguments, (*shape[:2], *(1,) * (len(shape) - 2)))


def reshape(reader: Reader, operation: Operation) -> None:
    shape, given = reader.shape(operation.inputs[0]), operation.attributes
    kind = operation.kind
    if kind == "Flatten":
        axis = given.get("axis", 1) % (len(shape) + 1)
        wanted = [prod(shape[:axis]), prod(shape[axis:])]
    elif kind == "Reshape":
        wanted = [int(n) for n in reader.array(operation, 1).reshape(-1)]
        wanted = [shape[i] if n == 0 and not given.get("allowzero", 0) else n for i, n in enumerate(wanted)]
        if -1 in wanted:
            known = prod(n for n in wanted if n != -1)
            wanted[wanted.index(-1)] = prod(shape) // known if known else 0
    else:
        array = reader.array(operation, 1)
        axes = given.get("axes") if array is None else [int(n) for n in array.reshape(-1)]
        if kind == "Squeeze":
            gone = {n % len(shape) for n in axes} if axes else {n for n, size in enumerate(shape) if size == 1}
            wanted = [size for n, size in enumerate(shape) if n not in gone]
        else:
            rank = len(shape) + len(axes or ())
            new = {n % rank for n in axes or ()}
            rest = iter(shape)
            wanted = [1 if n in new else next(rest) for n in range(rank)]
    if prod(wanted) != prod(shape):
        raise Untranslated(f"{kind} to another number of elements")
    reader.emit(operation, "reshape", {"self": reader.ref(operation.inputs[0])}, tuple(wanted))


def transpose(reader: Reader, operation: Operation) -> None:
    shape = reader.shape(operation.inputs[0])
    order = operation.attributes.get("perm", list(reversed(range(len(shape)))))
    arguments = {"self": reader.ref(operation.inputs[0]), "dims": order}
    reader.emit(operation, "permute", arguments, tuple(shape[n] for n in order))


def concat(reader: Reader, operation: Operation) -> None:
    shapes = [reader.shape(name) for name in operation.inputs]
    if any(name in reader.arrays for name in operation.inputs):
        raise Untranslated("Concat with a constant")
    axis = operation.attributes["axis"] % len(shapes[0])
    joined = sum(shape[axis] for shape in shapes)
    arguments = {"tensors": [reader.ref(name) for name in operation.inputs], "dim": axis}
    reader.emit(operation, "cat", arguments, (*shapes[0][:axis], joined, *shapes[0][axis + 1 :]))


def split(reader: Reader, operation: Operation) -> None:
    shape, given = reader.shape(operation.inputs[0]), operation.attributes
    axis = given.get("axis", 0) % len(shape)
    array = reader.array(operation, 1)
    sizes = given.get("split") if array is None else [int(n) for n in array.reshape(-1)]
    count = len(operation.outputs)
    if not sizes:
        each = -(-shape[axis] // count)
        sizes = [min(each, shape[axis] - n * each) for n in range(count)]
    start = 0
    for name, size in zip(operation.outputs, sizes, strict=True):
        _cut(reader, operation, operation.inputs[0], axis, start, start + size, 1, name)
        start += size


def _cut(
    reader: Reader, operation: Operation, source: str, axis: int, start: int, stop: int, step: int, name: str
) -> None:
    shape = reader.shape(source)
    arguments = {"self": reader.ref(source), "dim": axis, "start": start, "end": stop, "step": step}
    reader.emit(operation, "slice", arguments, (*shape[:axis], len(range(start, stop, step)), *shape[axis + 1 :]), name)


def slice_(reader: Reader, operation: Operation) -> None:
    shape, given = reader.shape(operation.inputs[0]), operation.attributes
    if reader.model.opset < 10:
        starts, ends = given["starts"], given["ends"]
        axes, steps = given.get("axes", list(range(len(starts)))), [1] * len(starts)
    else:
        found = [reader.array(operation, n) for n in range(1, 5)]
        starts, ends = ([int(n) for n in a.reshape(-1)] for a in found[:2])
        axes = list(range(len(starts))) if found[2] is None else [int(n) for n in found[2].reshape(-1)]
        steps = [1] * len(starts) if found[3] is None else [int(n) for n in found[3].reshape(-1)]
    source = operation.inputs[0]
    for number, (axis, start, end, step) in enumerate(zip(axes, starts, ends, steps, strict=True)):
        if step <= 0:
            raise Untranslated("Slice backwards")
        length = shape[axis % len(shape)]
        first, last, _ = slice(start, end, step).indices(length)
        name = operation.outputs[0] if number == len(axes) - 1 else f"{operation.outputs[0]}.{number}"
        _cut(reader, operation, source, axis % len(shape), first, last, step, name)
        source = name


def gather(reader: Reader, operation: Operation) -> None:
    data, indices = operation.inputs
    if data in reader.arrays and indices not in reader.arrays:
        table = reader.arrays[data]
        if table.ndim != 2 or operation.attributes.get("axis", 0) != 0:
            raise Untranslated("Gather from a table of other than two axes")
        label = reader.label(data)
        arguments = {"weight": reader.weight(label, "weight", table), "indices": reader.ref(indices)}
        reader.emit(operation, "embedding", arguments, (*reader.shape(indices), table.shape[1]))
        return
    array, shape = reader.array(operation, 1), reader.shape(data)
    axis = operation.attributes.get("axis", 0) % len(shape)
    if array.size != 1:
        raise Untranslated("Gather of several positions")
    index = int(array.reshape(-1)[0]) % shape[axis]
    if array.ndim == 1:
        _cut(reader, operation, data, axis, index, index + 1, 1, operation.outputs[0])
        return
    arguments = {"self": reader.ref(data), "dim": axis, "index": index}
    reader.emit(operation, "select", arguments, (*shape[:axis], *shape[axis + 1 :]))


def expand(reader: Reader, operation: Operation) -> None:
    import numpy as np

    shape = np.broadcast_shapes(reader.shape(operation.inputs[0]), tuple(int(n) for n in reader.array(operation, 1)))
    reader.emit(operation, "expand", {"self": reader.ref(operation.inputs[0])}, tuple(shape))


def pad(reader: Reader, operation: Operation) -> None:
    shape, given = reader.shape(operation.inputs[0]), operation.attributes
    mode = {"constant": "constant", "reflect": "reflect", "edge": "replicate", "wrap": "circular"}[
        given.get("mode", "constant")
    ]
    array, value = (None, given.get("value", 0.0)) if reader.model.opset < 11 else (reader.array(operation, 1), None)
    amounts = given["pads"] if array is None else [int(n) for n in array.reshape(-1)]
    if value is None:
        number = reader.array(operation, 2)
        value = 0.0 if number is None else float(number.reshape(-1)[0])
    if reader.array(operation, 3) is not None:
        raise Untranslated("Pad of chosen axes")
    rank = len(shape)
    pairs = [(amounts[n], amounts[n + rank]) for n in range(rank)]
    backwards = [n for pair in reversed(pairs) for n in pair]
    while len(backwards) > 2 and backwards[-2:] == [0, 0]:
        backwards = backwards[:-2]
    arguments = {"self": reader.ref(operation.inputs[0]), "pad": backwards, "mode": mode, "value": value}
    reader.emit(operation, "pad", arguments, tuple(n + b + a for n, (b, a) in zip(shape, pairs, strict=True)))


def dropout(reader: Reader, operation: Operation) -> None:
    ratio = reader.array(operation, 1)
    p = operation.attributes.get("ratio", 0.5) if ratio is None else float(ratio)
    arguments = {"input": reader.ref(operation.inputs[0]), "p": short(p), "train": False}
    reader.emit(operation, "dropout", arguments, reader.shape(operation.inputs[0]))


def identity(reader: Reader, operation: Operation) -> None:
    if operation.kind == "Cast" and operation.attributes["to"] != 1:
        raise Untranslated("Cast to another kind of number")
    reader.same(operation)


def resize(reader: Reader, operation: Operation) -> None:
    shape, given = reader.shape(operation.inputs[0]), operation.attributes
    rank = len(shape) - 2
    old = operation.kind == "Upsample" or reader.model.opset < 11
    scales = reader.array(operation, 1 if old else 2)
    sizes = None if old else reader.array(operation, 3)
    if scales is None and "scales" in given:
        scales = given["scales"]
    mode = given.get("mode", "nearest")
    moved = given.get("coordinate_transformation_mode", "asymmetric" if old else "half_pixel")
    if sizes is not None and sizes.size:
        size, factors = tuple(int(n) for n in sizes)[2:], None
        ratios = [m / n for m, n in zip(size, shape[2:], strict=True)]
    else:
        ratios = [float(n) for n in scales][2:]
        size, factors = tuple(floor(n * f) for n, f in zip(shape[2:], ratios, strict=True)), ratios
    whole = all(float(r).is_integer() for r in ratios)
    rounding = given.get("nearest_mode", "floor" if old else "round_prefer_floor")
    if mode == "nearest":
        plain = moved == "asymmetric" and rounding == "floor"
        equal = whole and moved in ("half_pixel", "pytorch_half_pixel") and rounding == "round_prefer_floor"
        double = moved == "asymmetric" and rounding == "round_prefer_floor" and all(r in (1, 2) for r in ratios)
        if not (plain or equal or double):
            raise Untranslated(f"{operation.kind} to the nearest by {moved} and {rounding}")
    elif mode not in ("linear", "cubic") or moved not in ("half_pixel", "pytorch_half_pixel", "align_corners"):
        raise Untranslated(f"{operation.kind} by {mode} and {moved}")
    elif mode == "cubic" and abs(given.get("cubic_coeff_a", -0.75) + 0.75) > 1e-6:
        raise Untranslated("Resize by another cubic curve")
    name = {
        "nearest": f"nearest{rank}d",
        "linear": ("linear1d", "bilinear2d", "trilinear3d")[rank - 1],
        "cubic": "bicubic2d",
    }
    arguments = {
        "input": reader.ref(operation.inputs[0]),
        "output_size": None if factors else list(size),
        "scale_factors": factors,
        "align_corners": moved == "align_corners",
    }
    reader.emit(operation, f"upsample_{name[mode]}", arguments, (*shape[:2], *size))


def depth_to_space(reader: Reader, operation: Operation) -> None:
    n, c, h, w = reader.shape(operation.inputs[0])
    r = operation.attributes["blocksize"]
    if operation.attributes.get("mode", "DCR") != "CRD" and c != r * r:
        raise Untranslated("DepthToSpace in the order depth, column, row")
    arguments = {"self": reader.ref(operation.inputs[0]), "upscale_factor": r}
    reader.emit(operation, "pixel_shuffle", arguments, (n, c // r**2, h * r, w * r))


PLAIN: Mapping[str, Translator] = {
    **dict.fromkeys((*_ACTIVATIONS, "LeakyRelu", "Elu", "Celu", "Gelu", "Selu", "HardSigmoid"), activation),
    **dict.fromkeys(("Softmax", "LogSoftmax"), softmax),
    **dict.fromkeys(_ARITHMETIC, arithmetic),
    **dict.fromkeys(_SEVERAL, several),
    **dict.fromkeys(("ReduceMean", "ReduceMax", "ReduceSum", "ReduceL2"), reduce),
    **dict.fromkeys(("GlobalAveragePool", "GlobalMaxPool"), global_pool),
    **dict.fromkeys(("Reshape", "Flatten", "Squeeze", "Unsqueeze"), reshape),
    **dict.fromkeys(("Identity", "Cast"), identity),
    **dict.fromkeys(("Resize", "Upsample"), resize),
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
}
