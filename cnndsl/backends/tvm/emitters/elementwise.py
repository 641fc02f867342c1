"""Sums, products, lone batch norms and activations, over images."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cnndsl.backends.tvm.emitters.main_function import MainFunction
from cnndsl.backends.tvm.emitters.recording.packed import packed_vector
from cnndsl.backends.tvm.kernels.elementwise import Elementwise
from cnndsl.backends.tvm.plan.groups import Group
from cnndsl.backends.tvm.program.fold import scale_and_shift
from cnndsl.backends.tvm.program.later import Later
from cnndsl.backends.tvm.program.steps import Step

if TYPE_CHECKING:
    import numpy as np


def emit_elementwise(main: MainFunction, group: Group) -> bool:
    """False where an input has one channel for all of the result: packed, its chunk holds that channel and zeros."""
    step = group.anchor
    kind = (
        "same"
        if step.is_pointwise
        else "affine"
        if step.op.scales_channels
        else step.op.combines
        if step.op.is_plain
        else None
    )
    if kind is None or not step.is_image or any(x.channels != step.type.channels for x in step.xs):
        return False
    arguments = [main.packed(name) for name in step.inputs]
    if kind == "affine":
        for index, slot in enumerate(("scale", "shift")):
            wide = _one_per_channel(step, index)
            arguments.append(main.constant(f"{step.name}.{slot}", packed_vector(wide, main.lanes)))
    sizes = tuple(x.size for x in step.xs)
    tail = (step.op, *group.ops) if kind == "same" else group.ops
    kernel = Elementwise(kind, main.batch, main.chunks(step.type.channels), step.type.size, main.lanes, sizes, tail)
    main.give(group, kernel, arguments)
    return True


def _one_per_channel(step: Step, index: int) -> Later:
    """The factors of a step that scales channels, or with index 1 its summands."""
    channels = step.type.channels

    def make() -> np.ndarray:
        import numpy as np

        return np.ascontiguousarray(np.broadcast_to(scale_and_shift(step)[index], (channels,)), np.float32)

    return Later((channels,), make)
