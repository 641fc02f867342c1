"""Convolutions over images with zeros around: dense, in groups, depthwise."""

from __future__ import annotations

from cnndsl.backends.tvm.emitters.main_function import MainFunction
from cnndsl.backends.tvm.emitters.recording.instructions import Value
from cnndsl.backends.tvm.emitters.recording.packed import packed_conv, packed_depthwise, packed_vector, packed_winograd
from cnndsl.backends.tvm.kernels.choice import choose
from cnndsl.backends.tvm.kernels.depthwise import depthwise
from cnndsl.backends.tvm.kernels.direct_conv import DirectConv, best_tile
from cnndsl.backends.tvm.kernels.winograd import Winograd
from cnndsl.backends.tvm.plan.groups import Group
from cnndsl.backends.tvm.program.later import Later
from cnndsl.backends.tvm.program.steps import Step
from cnndsl.ops.conv import Conv


def emit_convolution(main: MainFunction, group: Group) -> bool:
    """False for other padding than zeros, and for groups that neither divide a chunk of
    channels nor are whole chunks."""
    step, op = group.anchor, group.anchor.op
    if not isinstance(op, Conv) or not step.is_image or op.pad_mode != "zeros":
        return False
    ins, outs, lanes = step.xs[0].channels // op.groups, step.type.channels // op.groups, main.lanes
    if op.groups == 1:
        return _dense(main, group, op)
    if ins == outs and lanes % ins == 0:
        return _depthwise(main, group, op, ins)
    if ins % lanes == 0 == outs % lanes:
        return _direct(main, group, op, seen=ins // lanes, per_group=outs // lanes, weight="chunks")
    return False


def _dense(main: MainFunction, group: Group, op: Conv) -> bool:
    step = group.anchor
    (x,) = step.xs
    # An input of a few channels, such as a photograph, is read plain: packed it would be mostly zeros.
    plain = x.channels < main.lanes and main.values[step.inputs[0]].plain is not None
    return _direct(
        main, group, op, main.chunks(x.channels), main.chunks(step.type.channels), "plain" if plain else "chunks"
    )


def _direct(main: MainFunction, group: Group, op: Conv, seen: int, per_group: int, weight: str) -> bool:
    step = group.anchor
    (x,) = step.xs
    plain = weight == "plain"
    block = x.channels if plain else main.lanes
    values = step.weights["weight"]
    chunks_out = main.chunks(step.type.channels)
    direct = DirectConv(
        batch=main.batch,
        size=x.size,
        chunks=main.chunks(x.channels),
        block=block,
        plain=plain,
        chunks_out=chunks_out,
        lanes=main.lanes,
        chunks_seen=seen,
        outs_per_group=per_group,
        window=op.window_over(x),
        tail=group.ops,
        tile=best_tile(per_group, step.type.size[-1], main.lanes, main.cpu.registers),
    )
    kernel = main.choose(choose(direct, main.cpu, strict=main.job.options.strict_numerics))
    if isinstance(kernel, Winograd):
        packed = packed_winograd(values, kernel.m, main.lanes)
    else:
        packed = packed_conv(values, block, main.lanes)
    data = main.plain(step.inputs[0]) if plain else main.packed(step.inputs[0])
    main.give(group, kernel, [data, main.constant(f"{step.name}.weight", packed), _bias(main, step)])
    return True


def _depthwise(main: MainFunction, group: Group, op: Conv, seen: int) -> bool:
    step = group.anchor
    (x,) = step.xs
    kernel = depthwise(main.batch, main.chunks(x.channels), x.size, seen, op.window_over(x), group.ops, main.cpu)
    weight = main.constant(f"{step.name}.weight", packed_depthwise(step.weights["weight"], main.lanes))
    main.give(group, kernel, [main.packed(step.inputs[0]), weight, _bias(main, step)])
    return True


def _bias(main: MainFunction, step: Step) -> Value:
    bias = step.weights.get("bias", Later.filled((step.type.channels,), 0))
    return main.constant(f"{step.name}.bias", packed_vector(bias, main.lanes))
