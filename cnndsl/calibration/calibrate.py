"""From a network, its weights and some examples to the quantised network."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from cnndsl.backends.tvm.plan.quantized import plan_quantized
from cnndsl.backends.tvm.plan.quantized_network import QuantizedNetwork, quantized_network, spared
from cnndsl.backends.tvm.program.passes import program_of
from cnndsl.backends.tvm.program.steps import Program
from cnndsl.calibration.correction import corrected
from cnndsl.calibration.ranges import FloatNetwork, Seen, observe, scales
from cnndsl.ir.graph import Graph
from cnndsl.quantization.arithmetic import quantized_weight
from cnndsl.quantization.quantization import Quantization, QuantizedWeight

if TYPE_CHECKING:
    import numpy as np

    from cnndsl.calibration.ranges import Arrays


def calibrate(
    graph: Graph, weights: Mapping[str, np.ndarray], inputs: Arrays, keep: frozenset[str] = frozenset()
) -> Quantization:
    program = program_of(graph, weights)
    seen = observe(FloatNetwork(program), inputs)
    return corrected(rounded(graph, weights, program, seen, keep), seen, inputs).quantization


def rounded(
    graph: Graph, weights: Mapping[str, np.ndarray], program: Program, seen: Seen, keep: frozenset[str]
) -> QuantizedNetwork:
    """The quantised network with weights and biases rounded as they are."""
    import numpy as np

    whole: dict[str, QuantizedWeight] = {}
    for group in plan_quantized(program, keep):
        if group.kind == "product":
            step = group.group.anchor
            numbers, sizes = quantized_weight(step.weights["weight"])
            bias = step.weights.get("bias", np.zeros(len(numbers), np.float32))
            whole[step.name] = QuantizedWeight(numbers, sizes, bias)
    gone = spared(graph, program, whole)
    floats = {key: array for key, array in weights.items() if key not in gone}
    return quantized_network(graph, Quantization(scales(program, keep, seen), whole, floats, keep))
