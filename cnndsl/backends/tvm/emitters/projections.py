"""Convolutions with a window of one."""

from __future__ import annotations

from cnndsl.backends.tvm.emitters.main_function import MainFunction
from cnndsl.backends.tvm.emitters.recording.packed import packed_projection, packed_vector
from cnndsl.backends.tvm.kernels.projection import projection
from cnndsl.backends.tvm.plan.groups import Group
from cnndsl.backends.tvm.program.later import Later
from cnndsl.ops.conv import Conv


def emit_projection(main: MainFunction, group: Group) -> bool:
    """False for other windows, for groups, and for C source, for which simpler loops are written. A plain input of a
    few channels, such as a photograph, is left to the direct convolution, which reads it plain."""
    step, op = group.anchor, group.anchor.op
    if not isinstance(op, Conv) or not step.is_image or op.groups != 1 or main.cpu.kind != "llvm":
        return False
    (x,), window = step.xs, op.window_over(step.xs[0])
    if {*window.kernel, *window.stride} != {1} or any(window.before + window.after):
        return False
    if x.channels < main.lanes and main.values[step.inputs[0]].packed is None:
        return False
    y = step.type
    rule = projection(main.batch, x.size, x.channels, y.channels, main.lanes, group.ops, main.cpu.registers)
    kernel = main.choose(rule)
    bias = step.weights.get("bias", Later.filled((y.channels,), 0))
    arguments = [
        main.packed(step.inputs[0]),
        main.constant(f"{step.name}.weight", packed_projection(step.weights["weight"], kernel.tile[0], main.lanes)),
        main.constant(f"{step.name}.bias", packed_vector(bias, main.lanes)),
    ]
    main.give(group, kernel, arguments)
    return True
