"""Cuts, padding, upsampling, uneven averages and pixel shuffles, over packed maps."""

from __future__ import annotations

from cnndsl.backends.tvm.emitters.assembly import Assembly
from cnndsl.backends.tvm.kernels.resample import AxisTaps, Resample, SpreadChannels
from cnndsl.backends.tvm.plan.groups import Group
from cnndsl.backends.tvm.plan.taps import find_taps
from cnndsl.ops.pixel_shuffle import PixelShuffle

_MOST_TAPS = 64
"""Over all axes; with more the unrolled sum would be a large function."""


def emit_resampling(a: Assembly, group: Group) -> bool:
    """False for what is not packed, and for averages over many positions."""
    step = group.anchor
    axes = find_taps(step)
    if axes is None or group.tail or a.values[step.inputs[0]].packed is None:
        return False
    kinds = tuple(None if axis is None else AxisTaps(axis.count, axis.weighted, axis.fills) for axis in axes)
    total = 1
    for kind in kinds:
        total *= kind.count if kind else 1
    if total > _MOST_TAPS:
        return False
    arguments = [a.packed(step.inputs[0])]
    for i, axis in enumerate(axes):
        if axis is not None:
            arguments.append(a.constant(f"{step.name}.positions{i}", axis.positions))
            if axis.weighted:
                arguments.append(a.constant(f"{step.name}.factors{i}", axis.factors))
    (x,) = step.xs
    kernel = Resample(a.batch, a.chunks(x.channels), x.size, step.type.size, a.lanes, kinds)
    a.give(group, kernel, arguments)
    return True


def emit_pixel_shuffle(a: Assembly, group: Group) -> bool:
    """False for what is not packed, and for a result of few channels: it would be packed for nothing."""
    step, op = group.anchor, group.anchor.op
    if (
        not isinstance(op, PixelShuffle)
        or not step.is_image
        or group.tail
        or a.values[step.inputs[0]].packed is None
        or step.type.channels < a.lanes
    ):
        return False
    height, width = step.xs[0].size
    vectors = a.cpu.kind == "llvm"
    kernel = SpreadChannels(a.batch, step.type.channels, (height, width), op.r, a.lanes, vectors)
    a.give(group, kernel, [a.packed(step.inputs[0])])
    return True
