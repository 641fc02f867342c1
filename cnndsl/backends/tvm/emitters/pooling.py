"""Pooling over images."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

from cnndsl.backends.tvm.emitters.main_function import MainFunction
from cnndsl.backends.tvm.kernels.elementwise import GlobalPool
from cnndsl.backends.tvm.kernels.window import WindowKernel
from cnndsl.backends.tvm.plan.groups import Group
from cnndsl.ops.adaptive_avg_pool import AdaptiveAvgPool
from cnndsl.ops.avg_pool import AvgPool
from cnndsl.ops.global_avg_pool import GlobalAvgPool
from cnndsl.ops.global_max_pool import GlobalMaxPool
from cnndsl.ops.max_pool import MaxPool


def emit_pooling(main: MainFunction, group: Group) -> bool:
    """Maximum and average pooling; False where not all averages are of the same number of positions."""
    step, op = group.anchor, group.anchor.op
    if not isinstance(op, MaxPool | AvgPool | AdaptiveAvgPool) or not step.is_image:
        return False
    (x,) = step.xs
    window = op.window_over(x)
    if window is None:
        return False
    filled = window.after_filled(x.size)
    if isinstance(op, AvgPool) and any(window.before + filled) and not (op.count_pad and filled == window.after):
        return False
    kind: Literal["max", "mean"] = "max" if isinstance(op, MaxPool) else "mean"
    kernel = WindowKernel(kind, main.batch, main.chunks(x.channels), x.size, main.lanes, window, group.ops)
    main.give(group, kernel, [main.packed(step.inputs[0])])
    return True


def emit_global_pooling(main: MainFunction, group: Group) -> bool:
    """The mean of each channel, which is `GlobalAvgPool` or `AdaptiveAvgPool(1)`, and its largest value."""
    step = group.anchor
    if (
        not isinstance(step.op, GlobalAvgPool | GlobalMaxPool | AdaptiveAvgPool)
        or not step.is_image
        or step.type.elements != step.type.channels
        or group.tail
    ):
        return False
    kind: Literal["mean", "max"] = "max" if isinstance(step.op, GlobalMaxPool) else "mean"
    kernel = GlobalPool(kind, main.batch, main.chunks(step.type.channels), step.xs[0].size, main.lanes)
    main.give(group, kernel, [main.packed(step.inputs[0])])
    return True


def emit_unchanged(main: MainFunction, group: Group) -> bool:
    """Adaptive pooling to the size that the map has already: nothing is computed."""
    step = group.anchor
    if not isinstance(step.op, AdaptiveAvgPool) or step.type != step.xs[0] or group.tail:
        return False
    main.values[step.name] = replace(main.values[step.inputs[0]])
    return True
