"""The pass that folds factors: batch norm, and factors that are trained, go into the weights of the layer before."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from cnndsl.backends.tvm.program.later import Later
from cnndsl.backends.tvm.program.steps import Program, Step
from cnndsl.ops.conv import Conv
from cnndsl.ops.fc import FC

if TYPE_CHECKING:
    import numpy as np


def with_factors_folded(program: Program) -> Program:
    """Without the steps that scale the channels of a convolution or fully connected layer that nothing else reads: the
    layer's weights are scaled instead."""
    readers = program.readers()
    stands_for: dict[str, str] = {}
    kept: dict[str, Step] = {}
    for step in program.steps:
        inputs = tuple(stands_for.get(name, name) for name in step.inputs)
        source = kept.get(inputs[0])
        if (
            step.op.scales_channels
            and source is not None
            and isinstance(source.op, Conv | FC)
            and readers[source.name] == 1
        ):
            kept[source.name] = _scaled(source, step)
            stands_for[step.name] = source.name
            readers[source.name] = readers[step.name]
        else:
            kept[step.name] = replace(step, inputs=inputs)
    outputs = {name: stands_for.get(step, step) for name, step in program.outputs.items()}
    return Program(program.inputs, tuple(kept.values()), outputs)


def scale_and_shift(norm: Step) -> tuple[np.ndarray, np.ndarray]:
    """The factor and the summand, in float64, that a step which `scales_channels` amounts to in use: of each channel, or of all."""
    import numpy as np

    weights = {slot: np.asarray(array.numpy(), np.float64) for slot, array in norm.weights.items()}
    scale, shift = norm.op.scale_and_shift(weights)
    return np.asarray(scale), np.asarray(shift)


def _scaled(linear: Step, norm: Step) -> Step:
    """The layer with the norm's factor in its weights and the summand in its bias, rounded to float32 once."""
    before, old = linear.weights["weight"], linear.weights.get("bias")

    def scaled(weight: np.ndarray) -> np.ndarray:
        import numpy as np

        scale, _ = scale_and_shift(norm)
        wide = np.asarray(weight, np.float64) * scale.reshape(-1, *(1,) * (weight.ndim - 1))
        return np.asarray(wide, np.float32)

    def shifted() -> np.ndarray:
        import numpy as np

        scale, shift = scale_and_shift(norm)
        bias = np.asarray(0.0 if old is None else old.numpy(), np.float64) * scale + shift
        return np.ascontiguousarray(np.broadcast_to(bias, before.shape[:1]), np.float32)

    op = linear.op.model_copy(update={"bias": True})
    weights = {"weight": before.then(before.shape, scaled), "bias": Later(before.shape[:1], shifted)}
    return replace(linear, op=op, weights=weights)
