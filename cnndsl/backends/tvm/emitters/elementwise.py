"""Sums, products, lone batch norms and activations, over images."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cnndsl.backends.tvm.emitters.assembly import Assembly
from cnndsl.backends.tvm.kernels.elementwise import Elementwise
from cnndsl.backends.tvm.kernels.words.packing import pack_vector
from cnndsl.backends.tvm.plan.groups import Group, is_pointwise
from cnndsl.backends.tvm.program.fold import scale_and_shift

if TYPE_CHECKING:
    import numpy as np


def emit_elementwise(a: Assembly, group: Group) -> bool:
    """False where channels stretch: a single one does not fill a packed chunk."""
    step = group.anchor
    kind = "same" if is_pointwise(step) else "affine" if step.op.scales_channels else step.op.combines
    if kind is None or not step.is_image or any(x.channels != step.type.channels for x in step.xs):
        return False
    arguments = [a.packed(name) for name in step.inputs]
    if kind == "affine":
        for slot, array in zip(("scale", "shift"), scale_and_shift(step), strict=True):
            wide = _one_per_channel(array, step.type.channels)
            arguments.append(a.constant(f"{step.name}.{slot}", pack_vector(wide, a.lanes)))
    sizes = tuple(x.size for x in step.xs)
    tail = (step.op, *group.ops) if kind == "same" else group.ops
    kernel = Elementwise(kind, a.batch, a.chunks(step.type.channels), step.type.size, a.lanes, sizes, tail)
    a.give(group, kernel, arguments)
    return True


def _one_per_channel(array: np.ndarray, channels: int) -> np.ndarray:
    import numpy as np

    return np.ascontiguousarray(np.broadcast_to(array, (channels,)), np.float32)
