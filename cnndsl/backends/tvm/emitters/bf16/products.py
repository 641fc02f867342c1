"""Convolutions and fully connected layers with bfloat16 factors, where that precision was asked for."""

from __future__ import annotations

from typing import Literal

from cnndsl.backends.tvm.emitters.bf16.maps import takes_bf16
from cnndsl.backends.tvm.emitters.forms import TensorForms
from cnndsl.backends.tvm.emitters.main_function import MainFunction
from cnndsl.backends.tvm.emitters.recording.packed import (
    filled_up,
    in_pairs,
    packed_conv,
    packed_dense,
    packed_flattened,
    packed_vector,
)
from cnndsl.backends.tvm.kernels.bf16_conv import Bf16Conv, ranked
from cnndsl.backends.tvm.kernels.bf16_dense import Bf16Dense
from cnndsl.backends.tvm.kernels.words.pairs import PAIRS
from cnndsl.backends.tvm.plan.groups import Group
from cnndsl.backends.tvm.program.later import Later
from cnndsl.ops.conv import Conv


def emit_bf16(main: MainFunction, group: Group) -> bool:
    """False where the group is to be computed in float32, which `takes_bf16` decides."""
    if not takes_bf16(group, main.job):
        return False
    (_convolution if isinstance(group.anchor.op, Conv) else _dense)(main, group)
    return True


def _convolution(main: MainFunction, group: Group) -> None:
    step, op = group.anchor, group.anchor.op
    assert isinstance(op, Conv)
    (x,), name, source = step.xs, group.last.name, main.values[step.inputs[0]]
    kind: Literal["pairs", "packed", "plain"] = "packed"
    if source.pairs is not None:
        kind, data = "pairs", source.pairs
    elif x.channels < main.lanes and source.plain is not None:
        kind, data = "plain", source.plain
    else:
        data = main.packed(step.inputs[0])
    slot = main.slot(name)
    pairs = [main.values[residual].pairs for residual in group.residuals]
    as_pairs = tuple(found is not None for found in pairs)
    chunks_out, width = main.chunks(step.type.channels), step.type.size[-1]
    gives_pairs = name in main.kept_as_pairs and slot is None
    kernel = main.choose(
        Bf16Conv(
            source=kind,
            batch=main.batch,
            channels=x.channels,
            size=x.size,
            chunks_out=chunks_out,
            window=op.window_over(x),
            tail=group.ops,
            residual_pairs=as_pairs,
            gives_pairs=gives_pairs,
            tile=ranked(chunks_out, width)[0],
        )
    )
    weight = in_pairs(packed_conv(step.weights["weight"], 2 * kernel.pairs, main.lanes), -2)
    bias = packed_vector(step.weights.get("bias", Later.filled((step.type.channels,), 0)), main.lanes)
    arguments = [data, main.constant(f"{step.name}.weight", weight), main.constant(f"{step.name}.bias", bias)]
    arguments += [found or main.packed(name) for name, found in zip(group.residuals, pairs, strict=True)]
    shape = main.packed_shape(step.type)
    if gives_pairs:
        made = main.call(kernel, arguments, (*shape[:-1], PAIRS), dtype="int32")
        main.values[name] = TensorForms(group.last.type, pairs=made)
    else:
        made = main.call(kernel, arguments, shape, main.memory(slot, step.type) if slot else None)
        main.values[name] = TensorForms(group.last.type, packed=made, slot=slot)


def _dense(main: MainFunction, group: Group) -> None:
    step = group.anchor
    units, source = step.type.channels, main.values[step.inputs[0]].flattened
    weight = step.weights["weight"]
    if source is None:
        data = main.plain(step.inputs[0])
        if weight.shape[1] % 2:
            weight = filled_up(weight, 1, 2)
            data = main.padded(data, weight.shape[1])
    else:
        image = main.values[source].type
        weight = packed_flattened(weight, image.channels, image.elements // image.channels, main.lanes)
        data = main.reshaped(main.packed(source), (main.batch, weight.shape[1]))
    vectors = min(4, main.chunks(units))
    bias = filled_up(step.weights.get("bias", Later.filled((units,), 0)), 0, vectors * main.lanes)
    bias = bias.reshaped(bias.size // (vectors * main.lanes), vectors, main.lanes)
    packed = in_pairs(packed_dense(weight, vectors, main.lanes), 1)
    kernel = Bf16Dense(main.batch, weight.shape[1], bias.shape[0], vectors, group.ops)
    arguments = [data, main.constant(f"{step.name}.weight", packed), main.constant(f"{step.name}.bias", bias)]
    y = main.call(kernel, arguments, (main.batch, *bias.shape))
    y = main.reshaped(y, (main.batch, bias.size))
    if bias.size != units:
        y = main.cut(y, units)
    main.values[group.last.name] = TensorForms(group.last.type, plain=y)
