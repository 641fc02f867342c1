"""Exchanges of axes that leave packed maps as they are."""

from __future__ import annotations

from cnndsl.backends.tvm.emitters.forms import TensorForms
from cnndsl.backends.tvm.emitters.main_function import MainFunction
from cnndsl.backends.tvm.plan.groups import Group
from cnndsl.backends.tvm.program.channels_first import moves_channels
from cnndsl.ops.permute import Permute
from cnndsl.ops.reshape import Reshape


def emit_moved_channels(main: MainFunction, group: Group) -> bool:
    """`Permute` that moves nothing but the channels: a packed map is the same memory wherever its channels stand."""
    step = group.anchor
    (x,) = step.xs[:1]
    if not isinstance(step.op, Permute) or group.tail or x.dtype != "float32" or not 1 <= x.rank <= 3:
        return False
    if not moves_channels(step.op.axes, x.channel_axis):
        return False
    main.values[step.name] = TensorForms(step.type, packed=main.packed(step.inputs[0]))
    return True


def emit_laid_out(main: MainFunction, group: Group) -> bool:
    """`Reshape` of the positions of a packed map: the same memory under another shape."""
    step = group.anchor
    if not isinstance(step.op, Reshape) or group.tail or not step.is_image:
        return False
    if step.xs[0].channels != step.type.channels or main.values[step.inputs[0]].packed is None:
        return False
    view = main.reshaped(main.packed(step.inputs[0]), main.packed_shape(step.type))
    main.values[step.name] = TensorForms(step.type, packed=view)
    return True
