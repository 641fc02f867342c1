"""Translations of ONNX operations on axes and sizes: reshaping, cutting, padding, resizing."""

from __future__ import annotations

from math import floor, prod
from typing import Any

from cnndsl.importing.readers.onnx.model import Operation
from cnndsl.importing.readers.onnx.numbers import short
from cnndsl.importing.readers.onnx.reader import Reader, Untranslated


def reshape(reader: Reader, operation: Operation) -> None:
    shape, given = reader.shape(operation.inputs[0]), operation.attributes
    kind = operation.kind
    if kind == "Flatten":
        axis = given.get("axis", 1)
        axis += len(shape) if axis < 0 else 0
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
    if len(operation.inputs) == 1:
        reader.same(operation)
        return
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
    chosen = reader.array(operation, 3)
    axes = range(len(shape)) if chosen is None else [int(n) % len(shape) for n in chosen.reshape(-1)]
    if len(amounts) != 2 * len(axes):
        raise Untranslated("Pad of other axes than it names")
    padded = {axis: (amounts[n], amounts[n + len(axes)]) for n, axis in enumerate(axes)}
    pairs = [padded.get(n, (0, 0)) for n in range(len(shape))]
    backwards = [n for pair in reversed(pairs) for n in pair]
    while len(backwards) > 2 and backwards[-2:] == [0, 0]:
        backwards = backwards[:-2]
    arguments = {"self": reader.ref(operation.inputs[0]), "pad": backwards, "mode": mode, "value": value}
    reader.emit(operation, "pad", arguments, tuple(n + b + a for n, (b, a) in zip(shape, pairs, strict=True)))


def resize(reader: Reader, operation: Operation) -> None:
    shape, given = reader.shape(operation.inputs[0]), operation.attributes
    rank = len(shape) - 2
    old = operation.kind == "Upsample" or reader.model.opset < 11
    scales = reader.array(operation, 1 if old else 2)
    sizes = None if old else reader.array(operation, 3)
    if scales is None and "scales" in given:
        scales = given["scales"]
    for name, usual in (("antialias", 0), ("exclude_outside", 0), ("keep_aspect_ratio_policy", "stretch")):
        if given.get(name, usual) != usual:
            raise Untranslated(f"{operation.kind} with `{name}`")
    mode = given.get("mode", "nearest")
    moved = given.get("coordinate_transformation_mode", "asymmetric" if old else "half_pixel")
    axes = [n % len(shape) for n in given.get("axes", range(len(shape)))]
    if sizes is not None and sizes.size:
        wanted = dict(zip(axes, (int(n) for n in sizes), strict=True))
        ends, factors = [wanted.get(n, length) for n, length in enumerate(shape)], None
        ratios = [m / n for m, n in zip(ends, shape, strict=True)]
    else:
        stretched = dict(zip(axes, (short(n) for n in scales), strict=True))
        ratios = [stretched.get(n, 1.0) for n in range(len(shape))]
        ends = [floor(n * f) for n, f in zip(shape, ratios, strict=True)]
        factors = ratios[2:]
    if ratios[:2] != [1.0, 1.0]:
        raise Untranslated(f"{operation.kind} of the batch or the channels")
    size, ratios = tuple(ends[2:]), ratios[2:]
    whole = all(float(r).is_integer() for r in ratios)
    rounding = given.get("nearest_mode", "floor" if old else "round_prefer_floor")
    if mode == "nearest":
        plain = moved == "asymmetric" and rounding == "floor"
        equal = whole and moved in ("half_pixel", "pytorch_half_pixel") and rounding == "round_prefer_floor"
        double = moved == "asymmetric" and rounding == "round_prefer_floor" and all(r in (1, 2) for r in ratios)
        if not (plain or equal or double):
            raise Untranslated(f"{operation.kind} to the nearest by {moved} and {rounding}")
    elif moved == "align_corners" and any(n * r != m for n, r, m in zip(shape[2:], ratios, size, strict=True)):
        raise Untranslated(f"{operation.kind} with aligned corners to a size that is not whole")
    elif moved == "pytorch_half_pixel" and any(m == 1 != n for n, m in zip(shape[2:], size, strict=True)):
        raise Untranslated(f"{operation.kind} to one position by pytorch_half_pixel")
    elif mode not in ("linear", "cubic") or moved not in ("half_pixel", "pytorch_half_pixel", "align_corners"):
        raise Untranslated(f"{operation.kind} by {mode} and {moved}")
    elif mode == "cubic" and abs(given.get("cubic_coeff_a", -0.75) + 0.75) > 1e-6:
        raise Untranslated("Resize by another cubic curve")
    names = {
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
    reader.emit(operation, f"upsample_{names[mode]}", arguments, (*shape[:2], *size))


def depth_to_space(reader: Reader, operation: Operation) -> None:
    n, c, h, w = reader.shape(operation.inputs[0])
    r = operation.attributes["blocksize"]
    made = (n, c // r**2, h * r, w * r)
    if operation.attributes.get("mode", "DCR") == "CRD" or c == r * r:
        arguments = {"self": reader.ref(operation.inputs[0]), "upscale_factor": r}
        reader.emit(operation, "pixel_shuffle", arguments, made)
        return
    _turned(reader, operation, (n, r, r, c // r**2, h, w), [0, 3, 4, 1, 5, 2], made)


def space_to_depth(reader: Reader, operation: Operation) -> None:
    n, c, h, w = reader.shape(operation.inputs[0])
    r = operation.attributes["blocksize"]
    if h % r or w % r:
        raise Untranslated("SpaceToDepth of a size that is no multiple of the block's")
    if operation.attributes.get("mode", "DCR") == "CRD" or c == 1:
        arguments = {"self": reader.ref(operation.inputs[0]), "downscale_factor": r}
        reader.emit(operation, "pixel_unshuffle", arguments, (n, c * r**2, h // r, w // r))
        return
    _turned(reader, operation, (n, c, h // r, r, w // r, r), [0, 3, 5, 1, 2, 4], (n, c * r**2, h // r, w // r))


def _turned(reader: Reader, operation: Operation, apart: Any, order: list[int], made: tuple[int, ...]) -> None:
    """The same numbers along other axes, these in another order, and laid out again."""
    (name,) = operation.outputs
    reader.emit(operation, "reshape", {"self": reader.ref(operation.inputs[0])}, apart, f"{name}.apart")
    turned = tuple(apart[n] for n in order)
    reader.emit(operation, "permute", {"self": reader.ref(f"{name}.apart"), "dims": order}, turned, f"{name}.turned")
    reader.emit(operation, "reshape", {"self": reader.ref(f"{name}.turned")}, made)
