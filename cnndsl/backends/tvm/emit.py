"""Groups → calls of kernels. Each function here takes one kind of group, or answers that it is not its kind."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Literal

from cnndsl.backends.tvm.fold import Step, scale_and_shift
from cnndsl.backends.tvm.groups import Group, is_pointwise
from cnndsl.backends.tvm.kernels.dense import Dense
from cnndsl.backends.tvm.kernels.direct_conv import DirectConv, best_tile
from cnndsl.backends.tvm.kernels.elementwise import Elementwise, GlobalMean
from cnndsl.backends.tvm.kernels.packing import (
    fill_up, pack_conv, pack_dense, pack_depthwise, pack_diagonal, pack_flattened, pack_vector,
)  # fmt: skip
from cnndsl.backends.tvm.kernels.window import WindowKernel
from cnndsl.backends.tvm.library import load_tvm
from cnndsl.backends.tvm.target import Cpu
from cnndsl.backends.tvm.values import Assembly, Value, pair
from cnndsl.ir.tensor import TensorType

if TYPE_CHECKING:
    import numpy as np

Emitter = Callable[[Assembly, Group, Cpu], bool]
"""Emits a group; False when it is not of its kind or these sizes have no kernel."""


def is_image(type: TensorType) -> bool:
    """Whether the tensor is a map of two axes that can be packed."""
    return type.kind == "map" and type.rank == 2 and type.channel_axis == 0 and type.dtype == "float32"


def _images(step: Step) -> bool:
    return all(map(is_image, (*step.xs, step.type)))


def _give(a: Assembly, group: Group, packed: Any) -> bool:
    a.values[group.last.name] = Value(group.last.type, packed=packed)
    return True


def _call(a: Assembly, group: Group, kernel: Any, arguments: list[Any]) -> bool:
    residuals = [a.packed(name) for name in group.residuals]
    return _give(a, group, a.call(kernel, arguments + residuals, a.packed_shape(group.last.type)))


def _bias(a: Assembly, step: Step) -> Any:
    import numpy as np

    zeros = np.zeros(step.type.channels, np.float32)
    return a.constant(f"{step.name}.bias", pack_vector(step.weights.get("bias", zeros), a.lanes))


def emit_conv(a: Assembly, group: Group, cpu: Cpu) -> bool:
    """Convolution with zeros around, in one group or in groups that divide into chunks or chunks into them."""
    step, op = group.anchor, group.anchor.op
    if op.word != "Conv" or not _images(step) or getattr(op, "pad_mode") != "zeros":
        return False
    (x,), groups, lanes = step.xs, int(getattr(op, "groups")), a.lanes
    ins, outs = x.channels // groups, step.type.channels // groups
    weight, seen, per_group = step.weights["weight"], a.chunks(x.channels), a.chunks(step.type.channels)
    plain, block = groups == 1 and x.channels < lanes and a.values[step.inputs[0]].plain is not None, lanes
    if groups == 1:
        block = x.channels if plain else lanes
        packed = pack_conv(weight, block, lanes)
    elif ins == outs and lanes % ins == 0:
        seen, per_group, packed = 1, 1, pack_diagonal(weight, groups, lanes)
    elif ins % lanes == 0 == outs % lanes:
        seen, per_group, packed = ins // lanes, outs // lanes, pack_conv(weight, lanes, lanes)
    else:
        return False
    window = op.sliding(x)
    assert window is not None
    chunks_out, tile_of = a.chunks(step.type.channels), per_group if groups > 1 and per_group > 1 else a.chunks(step.type.channels)
    kernel = DirectConv(
        a.batch, pair(x.size), a.chunks(x.channels), block, plain, chunks_out, lanes, seen, per_group, window, group.ops,
        best_tile(tile_of, step.type.size[1], lanes, cpu.registers),
    )  # fmt: skip
    data = a.plain(step.inputs[0]) if plain else a.packed(step.inputs[0])
    return _call(a, group, kernel, [data, a.constant(f"{step.name}.weight", packed), _bias(a, step)])


def emit_window(a: Assembly, group: Group, cpu: Cpu) -> bool:
    """Depthwise convolution, maximum and average pooling."""
    step, op = group.anchor, group.anchor.op
    if op.word not in ("DWConv", "Conv", "MaxPool", "AvgPool", "AdaptiveAvgPool") or not _images(step):
        return False
    (x,) = step.xs
    window, arguments = op.sliding(x), []
    if window is None:
        return False
    kind: Literal["depthwise", "max", "mean"] = "max" if op.word == "MaxPool" else "mean"
    if op.word in ("DWConv", "Conv"):
        kind, weight = "depthwise", step.weights["weight"]
        if weight.shape[1] != 1 or len(weight) != x.channels or getattr(op, "pad_mode") != "zeros":
            return False
        arguments = [a.constant(f"{step.name}.weight", pack_depthwise(weight, a.lanes)), _bias(a, step)]
    elif kind == "mean" and any(window.before + window.after_filled(x.size)):
        # Where the padding does not count, or a last window is filled up, averages are not all over one number.
        if not getattr(op, "count_pad") or window.after_filled(x.size) != window.after:
            return False
    kernel = WindowKernel(kind, a.batch, a.chunks(x.channels), pair(x.size), a.lanes, window, group.ops)
    return _call(a, group, kernel, [a.packed(step.inputs[0]), *arguments])


def emit_global_mean(a: Assembly, group: Group, cpu: Cpu) -> bool:
    """The mean of each channel, under both its names."""
    step = group.anchor
    if step.op.word not in ("GlobalAvgPool", "AdaptiveAvgPool") or not _images(step) or step.type.size != (1, 1):
        return False
    kernel = GlobalMean(a.batch, a.chunks(step.type.channels), pair(step.xs[0].size), a.lanes)
    return not group.tail and _call(a, group, kernel, [a.packed(step.inputs[0])])


def emit_elementwise(a: Assembly, group: Group, cpu: Cpu) -> bool:
    """Sums and products, batch norm that stands alone, and activations that follow nothing with a kernel."""
    step = group.anchor
    pointwise = is_pointwise(step)
    kinds: dict[str, Literal["add", "mul", "affine"]] = {"add": "add", "mul": "mul", "BN": "affine", "FrozenBN": "affine"}
    if not (pointwise or step.op.word in kinds) or not _images(step):
        return False
    if any(x.channels != step.type.channels for x in step.xs):
        return False
    arguments = [a.packed(name) for name in step.inputs]
    if kinds.get(step.op.word) == "affine":
        for slot, array in zip(("scale", "shift"), scale_and_shift(step), strict=True):
            wide = np_broadcast(array, step.type.channels)
            arguments.append(a.constant(f"{step.name}.{slot}", pack_vector(wide, a.lanes)))
    sizes = tuple(pair(x.size) for x in step.xs)
    tail = (step.op, *group.ops) if pointwise else group.ops
    kernel = Elementwise(
        "same" if pointwise else kinds[step.op.word], a.batch, a.chunks(step.type.channels), pair(step.type.size), a.lanes, sizes, tail
    )
    return _call(a, group, kernel, arguments)


def np_broadcast(array: np.ndarray, channels: int) -> np.ndarray:
    """One float32 number for each channel."""
    import numpy as np

    return np.ascontiguousarray(np.broadcast_to(array, (channels,)), np.float32)


def emit_cat(a: Assembly, group: Group, cpu: Cpu) -> bool:
    """Concatenation of channels where every branch but the last is whole chunks."""
    step = group.anchor
    whole = all(x.channels % a.lanes == 0 for x in step.xs[:-1])
    if step.op.word != "cat" or not _images(step) or not whole or step.type.size != step.xs[0].size:
        return False
    values = [a.packed(name) for name in step.inputs]
    return _give(a, group, a.builder.emit(load_tvm().relax.op.concat(values, axis=1)))


def emit_flatten(a: Assembly, group: Group, cpu: Cpu) -> bool:
    """A map that is only looked at as a vector: no work until someone needs its order."""
    step = group.anchor
    if step.op.word != "Flatten" or not _images_in(step) or a.values[step.inputs[0]].packed is None:
        return False
    a.values[step.name] = Value(step.type, flattened=step.inputs[0])
    return True


def _images_in(step: Step) -> bool:
    return all(map(is_image, step.xs))


def emit_dense(a: Assembly, group: Group, cpu: Cpu) -> bool:
    """Fully connected layer over a vector, or over a packed map whose order the weights take on."""
    step = group.anchor
    if step.op.word != "FC" or step.xs[0].kind != "vector" or step.xs[0].dtype != "float32":
        return False
    import numpy as np

    relax, units, source = load_tvm().relax, step.type.channels, a.values[step.inputs[0]].flattened
    weight = step.weights["weight"]
    if source is None:
        data = a.plain(step.inputs[0])
    else:
        image = a.values[source].type
        weight = pack_flattened(weight, image.channels, image.elements // image.channels, a.lanes)
        data = a.builder.emit(relax.op.reshape(a.packed(source), (a.batch, weight.shape[1])))
    vectors = min(4, a.chunks(units))
    packed = pack_dense(weight, vectors, a.lanes)
    bias = fill_up(step.weights.get("bias", np.zeros(units, np.float32)), 0, vectors * a.lanes).reshape(-1, vectors, a.lanes)
    kernel = Dense(a.batch, weight.shape[1], len(packed), vectors, a.lanes, group.ops)
    arguments = [data, a.constant(f"{step.name}.weight", packed), a.constant(f"{step.name}.bias", bias)]
    y = a.call(kernel, arguments, (a.batch, len(packed), vectors, a.lanes))
    y = a.builder.emit(relax.op.reshape(y, (a.batch, bias.size)))
    if bias.size != units:
        y = a.builder.emit(relax.op.strided_slice(y, [1], [0], [units]))
    a.values[group.last.name] = Value(group.last.type, plain=y)
    return True


def emit_unchanged(a: Assembly, group: Group, cpu: Cpu) -> bool:
    """Pooling to the size that is there already."""
    step = group.anchor
    if step.op.word != "AdaptiveAvgPool" or step.type != step.xs[0] or group.tail:
        return False
    a.values[step.name] = a.values[step.inputs[0]]
    return True


def emit_generic(a: Assembly, group: Group, cpu: Cpu) -> bool:
    """Every step by its own plain form; never refuses."""
    for step in (group.anchor, *group.tail):
        weights = {slot: a.constant(f"{step.name}.{slot}", array) for slot, array in step.weights.items()}
        values = tuple(a.plain(name) for name in step.inputs)
        y = a.builder.emit(step.op.to_relax(load_tvm().relax, step.xs, values, weights))
        a.values[step.name] = Value(step.type, plain=y)
    return True


EMITTERS: tuple[Emitter, ...] = (
    emit_unchanged, emit_global_mean, emit_window, emit_conv, emit_dense, emit_flatten, emit_cat, emit_elementwise, emit_generic,
)  # fmt: skip
"""In this order each group is offered to them."""
