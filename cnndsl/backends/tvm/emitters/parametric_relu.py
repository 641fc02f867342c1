"""`PReLU` over maps."""

from __future__ import annotations

from cnndsl.backends.tvm.emitters.main_function import MainFunction
from cnndsl.backends.tvm.kernels.parametric_relu import ParametricReLU
from cnndsl.backends.tvm.kernels.words.packing import pack_vector
from cnndsl.backends.tvm.plan.groups import Group
from cnndsl.ops.prelu import PReLU


def emit_parametric_relu(main: MainFunction, group: Group) -> bool:
    """False for other layers, and for what is no map or not yet packed: the plain form then need not pack it."""
    import numpy as np

    step = group.anchor
    if not isinstance(step.op, PReLU) or not step.is_image or main.values[step.inputs[0]].packed is None:
        return False
    channels = step.type.channels
    slopes = np.ascontiguousarray(np.broadcast_to(step.weights["weight"], (channels,)))
    kernel = ParametricReLU(main.batch, main.chunks(channels), step.type.size, main.lanes)
    weight = main.constant(f"{step.name}.weight", pack_vector(slopes, main.lanes))
    main.give(group, kernel, [main.packed(step.inputs[0]), weight])
    return True
