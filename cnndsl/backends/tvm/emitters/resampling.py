"""Cuts, padding, upsampling, uneven averages and pixel shuffles, over packed maps."""

from __future__ import annotations

from cnndsl.backends.tvm.emitters.main_function import MainFunction
from cnndsl.backends.tvm.kernels.resample import AxisTaps, Resample, SpreadChannels
from cnndsl.backends.tvm.plan.groups import Group
from cnndsl.backends.tvm.plan.taps import find_taps
from cnndsl.ops.pixel_shuffle import PixelShuffle

_MOST_TAPS = 64
"""The most taps of a position, all axes multiplied. The sum is unrolled: with more the function would become large."""


def emit_resampling(main: MainFunction, group: Group) -> bool:
    """False where the input is not packed, and for sums over many positions."""
    step = group.anchor
    axes = find_taps(step)
    if axes is None or group.tail or main.values[step.inputs[0]].packed is None:
        return False
    kinds = tuple(None if axis is None else AxisTaps(axis.count, axis.weighted, axis.fills) for axis in axes)
    total = 1
    for kind in kinds:
        total *= kind.count if kind else 1
    if total > _MOST_TAPS:
        return False
    arguments = [main.packed(step.inputs[0])]
    for i, axis in enumerate(axes):
        if axis is not None:
            arguments.append(main.constant(f"{step.name}.positions{i}", axis.positions))
            if axis.weighted:
                arguments.append(main.constant(f"{step.name}.factors{i}", axis.factors))
    (x,) = step.xs
    kernel = Resample(main.batch, main.chunks(x.channels), x.size, step.type.size, main.lanes, kinds)
    main.give(group, kernel, arguments)
    return True


def emit_pixel_shuffle(main: MainFunction, group: Group) -> bool:
    """False where the input is not packed, and for a result of so few channels that packing it would gain nothing."""
    step, op = group.anchor, group.anchor.op
    if (
        not (isinstance(op, PixelShuffle) and op.order == "crd")
        or not step.is_image
        or group.tail
        or main.values[step.inputs[0]].packed is None
        or step.type.channels < main.lanes
    ):
        return False
    height, width = step.xs[0].size
    vectors = main.cpu.kind == "llvm"
    kernel = SpreadChannels(main.batch, step.type.channels, (height, width), op.r, main.lanes, vectors)
    main.give(group, kernel, [main.packed(step.inputs[0])])
    return True
