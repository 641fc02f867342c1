"""A quantised network without its numbers: what a network would be in whole numbers, for its plan alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cnndsl.backends.tvm.plan.quantized import QuantizedGroup, plan_quantized, rounded_tensors, tied
from cnndsl.backends.tvm.plan.quantized_network import QuantizedNetwork
from cnndsl.backends.tvm.program.passes import program_without_weights
from cnndsl.ir.graph import Graph
from cnndsl.quantization.arithmetic import Scale
from cnndsl.quantization.quantization import Quantization, QuantizedWeight
from cnndsl.quantization.rescaling import Rescaling, rescaling

if TYPE_CHECKING:
    import numpy as np


class _Supposed(QuantizedNetwork):
    """Its weights are zeros, which take no memory."""

    def rescaling(self, group: QuantizedGroup) -> Rescaling:
        if group.kind != "norm":
            return super().rescaling(group)
        # The factors of a batch norm are numbers of weights, which are not there.
        return rescaling(1.0, 0.0, [], self.scale(group.name) if group.rounds else None, group.clamp)


def supposed_network(graph: Graph) -> QuantizedNetwork:
    """The network as `quantize` would leave it: every layer that can be is on whole numbers. A map that is never negative has its
    zero at 0, every other at 128, which decides a little in how borders are computed."""
    program = program_without_weights(graph)
    groups = plan_quantized(program)
    positive = {g.name for g in groups if g.clamp[0] >= 0} | {
        step.name for step in program.steps if step.op.never_negative
    }
    rounded = rounded_tensors(program, groups)
    maps = {name: _scale(name in positive) for name in rounded}
    for names in tied(program, groups):
        maps |= dict.fromkeys(names, _scale(positive.issuperset(names)))
    weights = {
        g.group.anchor.name: _zeros(g.group.anchor.weights["weight"].shape) for g in groups if g.kind == "product"
    }
    return _Supposed(program, groups, Quantization(maps, weights, {}))


def _scale(positive: bool) -> Scale:
    return Scale(1 / 16, 0 if positive else 128)


def _zeros(shape: tuple[int, ...]) -> QuantizedWeight:
    import numpy as np

    def many(dtype: type) -> np.ndarray:
        return np.broadcast_to(np.ones((), dtype), shape[:1])

    numbers = np.broadcast_to(np.zeros((), np.int8), shape)
    return QuantizedWeight(numbers, many(np.float32), many(np.float32))
