"""Normalisation: of each position's channels, and of channels over positions; positions' embeddings."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cnndsl.backends.tvm.emitters.main_function import MainFunction
from cnndsl.backends.tvm.emitters.recording.packed import packed_vector
from cnndsl.backends.tvm.kernels.elementwise import Elementwise
from cnndsl.backends.tvm.kernels.group_norm import GroupNorm
from cnndsl.backends.tvm.kernels.position_norm import PositionNorm
from cnndsl.backends.tvm.kernels.words.packing import fill_up
from cnndsl.backends.tvm.plan.groups import Group
from cnndsl.backends.tvm.program.later import Later
from cnndsl.ops.gn import GN
from cnndsl.ops.in_ import IN
from cnndsl.ops.pos_embed import PosEmbed

if TYPE_CHECKING:
    import numpy as np


def emit_position_norm(main: MainFunction, group: Group) -> bool:
    """What normalises the channels of each position by themselves, over maps: `LN`, `Softmax` and their kin."""
    step = group.anchor
    kind = step.op.per_position if step.op.is_plain else None
    if kind is None or not step.is_image or group.tail or main.cpu.kind != "llvm":
        return False
    channels = step.type.channels
    arguments = [main.packed(step.inputs[0])]
    if kind != "softmax":
        for slot, otherwise in (("weight", 1), ("bias", 0)):
            array = step.weights.get(slot, Later.filled((channels,), otherwise))
            arguments.append(main.constant(f"{step.name}.{slot}", packed_vector(array, main.lanes)))
    eps = getattr(step.op, "eps", 0.0)
    main.give(group, PositionNorm(kind, main.batch, channels, step.type.size, main.lanes, eps), arguments)
    return True


def emit_group_norm(main: MainFunction, group: Group) -> bool:
    """`GN` and `IN` over maps."""
    step = group.anchor
    if not isinstance(step.op, GN | IN) or not step.is_image or main.cpu.kind != "llvm":
        return False
    channels = step.type.channels
    groups = step.op.groups if isinstance(step.op, GN) else channels
    arguments = [main.packed(step.inputs[0])]
    for slot, otherwise in (("weight", 1), ("bias", 0)):
        array = step.weights.get(slot, Later.filled((channels,), otherwise))
        arguments.append(main.constant(f"{step.name}.{slot}", packed_vector(array, main.lanes)))
    kernel = GroupNorm(main.batch, channels, groups, step.type.size, main.lanes, step.op.eps, group.ops)
    main.give(group, kernel, arguments)
    return True


def emit_embedding(main: MainFunction, group: Group) -> bool:
    """`PosEmbed` over maps: adds a constant map."""
    step = group.anchor
    if not isinstance(step.op, PosEmbed) or not step.is_image or group.tail:
        return False
    shape = main.packed_shape(step.type)
    size = step.type.size

    def packed(array: np.ndarray) -> np.ndarray:
        import numpy as np

        filled = fill_up(array.reshape(step.type.shape), 0, main.lanes)
        chunks = np.moveaxis(filled.reshape(-1, main.lanes, *size), 1, -1)[None]
        return np.ascontiguousarray(np.broadcast_to(chunks, shape))

    constant = main.constant(step.name, step.weights[""].then(shape, packed))
    kernel = Elementwise("add", main.batch, shape[1], size, main.lanes, (size, size), ())
    main.give(group, kernel, [main.packed(step.inputs[0]), constant])
    return True
