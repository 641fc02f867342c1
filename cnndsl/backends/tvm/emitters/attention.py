"""Attention between its projections."""

from __future__ import annotations

from cnndsl.backends.tvm.emitters.assembly import Assembly
from cnndsl.backends.tvm.kernels.attention import AttentionHeads
from cnndsl.backends.tvm.plan.groups import Group
from cnndsl.backends.tvm.program.attend import Attend


def emit_attention(a: Assembly, group: Group) -> bool:
    """`Attend`; its heads are whole chunks."""
    step = group.anchor
    if not isinstance(step.op, Attend) or not step.is_image or group.tail or a.cpu.kind != "llvm":
        return False
    channels, positions = step.type.shape
    depth = channels // step.op.heads // a.lanes
    tile = (6, 4) if a.cpu.registers >= 32 else (4, 2)
    kernel = AttentionHeads(a.batch, step.op.heads, depth, positions, a.lanes, tile)
    a.give(group, kernel, [a.packed(step.inputs[0])])
    return True
