"""`PReLU` over maps."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cnndsl.backends.tvm.emitters.main_function import MainFunction
from cnndsl.backends.tvm.emitters.recording.packed import packed_vector
from cnndsl.backends.tvm.kernels.parametric_relu import ParametricReLU
from cnndsl.backends.tvm.plan.groups import Group
from cnndsl.ops.prelu import PReLU

if TYPE_CHECKING:
    import numpy as np


def emit_parametric_relu(main: MainFunction, group: Group) -> bool:
    """False for other layers, and for what is no map or not yet packed: the plain form then need not pack it."""
    step = group.anchor
    if not isinstance(step.op, PReLU) or not step.is_image or main.values[step.inputs[0]].packed is None:
        return False
    channels = step.type.channels

    def spread(slopes: np.ndarray) -> np.ndarray:
        import numpy as np

        return np.ascontiguousarray(np.broadcast_to(slopes, (channels,)))

    slopes = step.weights["weight"].then((channels,), spread)
    kernel = ParametricReLU(main.batch, main.chunks(channels), step.type.size, main.lanes)
    weight = main.constant(f"{step.name}.weight", packed_vector(slopes, main.lanes))
    main.give(group, kernel, [main.packed(step.inputs[0]), weight])
    return True
