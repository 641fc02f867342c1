"""Attention between its projections."""

from __future__ import annotations

from cnndsl.backends.tvm.emitters.main_function import MainFunction
from cnndsl.backends.tvm.kernels.attention_heads import AttentionHeads
from cnndsl.backends.tvm.plan.groups import Group
from cnndsl.backends.tvm.program.attend import Attend


def emit_attention(main: MainFunction, group: Group) -> bool:
    """`Attend` over maps of one axis, whose heads `channels_first` has filled up to whole chunks."""
    step = group.anchor
    if not isinstance(step.op, Attend) or not step.is_image or group.tail or main.cpu.kind != "llvm":
        return False
    channels, positions = step.type.shape
    depth = channels // step.op.heads // main.lanes
    tile = (6, 4) if main.cpu.registers >= 32 else (4, 2)
    kernel = AttentionHeads(main.batch, step.op.heads, depth, positions, main.lanes, tile)
    main.give(group, kernel, [main.packed(step.inputs[0])])
    return True
