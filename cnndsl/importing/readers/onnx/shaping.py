"""Translations of ONNX operations on axes and sizes: reshaping, cutting, padding, resizing."""

from __future__ import annotations

from math import prod
from typing import Any

from cnndsl.importing.readers.onnx.model import Operation
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
        cut(reader, operation, operation.inputs[0], axis, start, start + size, 1, name)
        start += size


def cut(
    reader: Reader, operation: Operation, source: str, axis: int, start: int, stop: int, step: int, name: str
) -> None:
    """Some of the positions of an axis."""
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
        cut(reader, operation, source, axis % len(shape), first, last, step, name)
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
    if array.ndim == 1 and 1 < array.size <= MOST_PICKED:
        picked(reader, operation, data, axis, [int(n) % shape[axis] for n in array])
        return
    if len(shape) == 1 and array.size == shape[0] and (array.reshape(-1) == range(array.size)).all():
        # All of them in their order, laid out anew: what PyTorch exports `as_strided` to.
        reader.emit(operation, "reshape", {"self": reader.ref(data)}, tuple(array.shape))
        return
    if array.size != 1:
        raise Untranslated("Gather of several positions")
    index = int(array.reshape(-1)[0]) % shape[axis]
    if array.ndim == 1:
        cut(reader, operation, data, axis, index, index + 1, 1, operation.outputs[0])
        return
    arguments = {"self": reader.ref(data), "dim": axis, "index": index}
    reader.emit(operation, "select", arguments, (*shape[:axis], *shape[axis + 1 :]))


MOST_PICKED = 64
"""How many positions of an axis may be picked one by one."""


def picked(reader: Reader, operation: Operation, source: str, axis: int, places: list[int], name: str = "") -> None:
    """Positions of an axis in any order: one cut where they follow each other evenly, else cuts side by side."""
    if axis == 0:
        raise Untranslated(f"{operation.kind} of the batch")
    name, shape = name or operation.outputs[0], reader.shape(source)
    step = places[1] - places[0] if len(places) > 1 else 1
    if step > 0 and places == list(range(places[0], places[-1] + 1, step)):
        cut(reader, operation, source, axis, places[0], places[-1] + 1, step, name)
        return
    parts = []
    for number, place in enumerate(places):
        parts.append(f"{name}.{number}")
        cut(reader, operation, source, axis, place, place + 1, 1, parts[-1])
    made = (*shape[:axis], len(places), *shape[axis + 1 :])
    reader.emit(operation, "cat", {"tensors": [reader.ref(part) for part in parts], "dim": axis}, made, name)


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
