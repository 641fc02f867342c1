"""Fully connected layers."""

from __future__ import annotations

from cnndsl.backends.tvm.emitters.forms import TensorForms
from cnndsl.backends.tvm.emitters.main_function import MainFunction
from cnndsl.backends.tvm.emitters.recording.packed import filled_up, packed_dense, packed_flattened
from cnndsl.backends.tvm.kernels.dense import Dense
from cnndsl.backends.tvm.plan.groups import Group
from cnndsl.backends.tvm.program.later import Later
from cnndsl.ops.fc import FC
from cnndsl.ops.flatten import Flatten


def emit_flatten(main: MainFunction, group: Group) -> bool:
    """A packed image that is looked at as a vector: no work until someone needs its order. False where channels are not
    first: a vector of tokens is in another order than the weights are laid out for."""
    step = group.anchor
    if not isinstance(step.op, Flatten) or step.xs[0].channel_axis != 0 or main.values[step.inputs[0]].packed is None:
        return False
    main.values[step.name] = TensorForms(step.type, flattened=step.inputs[0])
    return True


def emit_dense(main: MainFunction, group: Group) -> bool:
    """`FC` over a vector, or over a packed image, whose order the weights then take on."""
    step = group.anchor
    if not isinstance(step.op, FC) or step.xs[0].kind != "vector":
        return False
    units, source = step.type.channels, main.values[step.inputs[0]].flattened
    weight = step.weights["weight"]
    if source is None:
        data = main.plain(step.inputs[0])
    else:
        image = main.values[source].type
        weight = packed_flattened(weight, image.channels, image.elements // image.channels, main.lanes)
        data = main.reshaped(main.packed(source), (main.batch, weight.shape[1]))
    most = min(4, main.chunks(units))
    rule = Dense(main.batch, weight.shape[1], -(-main.chunks(units) // most), most, main.lanes, group.ops)
    kernel = main.choose(rule)
    vectors = kernel.vectors
    # A setting may compute more outputs than the layer has units. The surplus is cut off below, and weights are
    # filled up to the outputs of the chosen setting.
    filled = kernel.blocks * vectors * main.lanes
    packed = packed_dense(filled_up(weight, 0, filled), vectors, main.lanes)
    bias = filled_up(step.weights.get("bias", Later.filled((units,), 0)), 0, filled)
    arguments = [
        data,
        main.constant(f"{step.name}.weight", packed),
        main.constant(f"{step.name}.bias", bias.reshaped(kernel.blocks, vectors, main.lanes)),
    ]
    y = main.call(kernel, arguments, (main.batch, kernel.blocks, vectors, main.lanes))
    y = main.reshaped(y, (main.batch, bias.size))
    if bias.size != units:
        y = main.cut(y, units)
    main.values[group.last.name] = TensorForms(group.last.type, plain=y)
    return True
