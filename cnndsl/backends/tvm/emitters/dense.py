"""Fully connected layers."""

from __future__ import annotations

from cnndsl.backends.tvm.emitters.assembly import Assembly, Value
from cnndsl.backends.tvm.kernels.dense import Dense
from cnndsl.backends.tvm.kernels.words.packing import fill_up, pack_dense, pack_flattened
from cnndsl.backends.tvm.library import load_tvm
from cnndsl.backends.tvm.plan.groups import Group
from cnndsl.ops.fc import FC
from cnndsl.ops.flatten import Flatten


def emit_flatten(a: Assembly, group: Group) -> bool:
    """A packed image that is looked at as a vector: no work until someone needs its order. False where channels are not
    first: a vector of tokens is in another order than the weights are laid out for."""
    step = group.anchor
    if not isinstance(step.op, Flatten) or step.xs[0].channel_axis != 0 or a.values[step.inputs[0]].packed is None:
        return False
    a.values[step.name] = Value(step.type, flattened=step.inputs[0])
    return True


def emit_dense(a: Assembly, group: Group) -> bool:
    """`FC` over a vector, or over a packed image, whose order the weights then take on."""
    import numpy as np

    step = group.anchor
    if not isinstance(step.op, FC) or step.xs[0].kind != "vector":
        return False
    relax, units, source = load_tvm().relax, step.type.channels, a.values[step.inputs[0]].flattened
    weight = step.weights["weight"]
    if source is None:
        data = a.plain(step.inputs[0])
    else:
        image = a.values[source].type
        weight = pack_flattened(weight, image.channels, image.elements // image.channels, a.lanes)
        data = a.builder.emit(relax.op.reshape(a.packed(source), (a.batch, weight.shape[1])))
    most = min(4, a.chunks(units))
    rule = Dense(a.batch, weight.shape[1], -(-a.chunks(units) // most), most, a.lanes, group.ops)
    kernel = a.choose(rule)
    vectors = kernel.vectors
    # Of two settings one may have more outputs than units: all have those of the rule.
    filled = kernel.blocks * vectors * a.lanes
    packed = pack_dense(fill_up(weight, 0, filled), vectors, a.lanes)
    bias = fill_up(step.weights.get("bias", np.zeros(units, np.float32)), 0, filled)
    arguments = [
        data,
        a.constant(f"{step.name}.weight", packed),
        a.constant(f"{step.name}.bias", bias.reshape(-1, vectors, a.lanes)),
    ]
    y = a.call(kernel, arguments, (a.batch, len(packed), vectors, a.lanes))
    y = a.builder.emit(relax.op.reshape(y, (a.batch, bias.size)))
    if bias.size != units:
        y = a.builder.emit(relax.op.strided_slice(y, [1], [0], [units]))
    a.values[group.last.name] = Value(group.last.type, plain=y)
    return True
