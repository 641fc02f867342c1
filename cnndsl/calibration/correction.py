"""Bias correction: the mean of every channel of a quantised layer is made that of the layer in float32.

Rounding weights moves the mean of a layer's result, and the shift adds up from layer to layer (Nagel et al.: Data-free
quantization through weight equalization and bias correction, 2019). Layers are corrected in the order in which they run,
each on what the corrected layers before it give: correcting several layers of a chain at once would correct the same shift
repeatedly.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from cnndsl.backends.pytorch.library import torch
from cnndsl.backends.tvm.plan.quantized import QuantizedGroup
from cnndsl.backends.tvm.plan.quantized_network import QuantizedNetwork
from cnndsl.backends.tvm.program.steps import Program
from cnndsl.calibration.product import product
from cnndsl.calibration.ranges import BATCH, Hear, Seen
from cnndsl.calibration.reference import Reference, run_of
from cnndsl.calibration.rounding import rounded_together
from cnndsl.quantization.arithmetic import whole_bias
from cnndsl.quantization.quantization import QuantizedWeight

if TYPE_CHECKING:
    import numpy as np

    from cnndsl.calibration.ranges import Arrays

_EXACT = 16


@torch.no_grad()  # type: ignore[untyped-decorator]
def corrected(
    network: QuantizedNetwork, floats: Program, seen: Seen, inputs: Arrays, hear: Hear | None = None
) -> QuantizedNetwork:
    """The network with weights rounded together, and the biases that give every product the mean which `seen` has of it in
    float32, over the examples of `inputs`. `floats` is the network in float32; `hear` is told how many groups are done, and of
    how many."""
    steps = {step.name: step for step in floats.steps}
    weights = dict(network.quantization.weights)
    network = replace(network, quantization=replace(network.quantization, weights=weights))
    reference = Reference(network, exact=False)
    values = {name: reference.entered(name, torch.from_numpy(array)) for name, array in inputs.items()}
    for done, group in enumerate(network.groups):
        given = [values[name] for name in group.group.inputs]
        if group.kind == "product":
            name = group.group.anchor.name
            own, zero_point = weights[name], network.scale(group.group.anchor.inputs[0]).zero_point
            numbers = rounded_together(steps[name], given[0], zero_point, torch.tensor(own.scales))
            weights[name] = replace(own, numbers=numbers.numpy())
            weights[name] = _corrected(network, group, given[0], seen.means[name])
        run = run_of(network, group, exact=False)
        count = max(map(len, given))
        parts = [run([value[i : i + BATCH] for value in given]) for i in range(0, count, BATCH)]
        values[group.name] = reference.entered(group.name, torch.cat(parts))
        for name in reference.last[group.name]:
            del values[name]
        if hear is not None:
            hear(done + 1, len(network.groups))
    return network


def _corrected(network: QuantizedNetwork, group: QuantizedGroup, x: Any, means: np.ndarray) -> QuantizedWeight:
    """The weight with a bias that gives the product of the maps `x` these means.

    The product is linear: the mean of its results is what it makes of the mean of its maps.
    """
    import numpy as np

    anchor = group.group.anchor
    weight = network.weight(group)
    scale = network.scale(anchor.inputs[0])
    # Sums of so few pictures at a time are exact in float32.
    total = sum(part.float().sum(0).double() for part in x.split(_EXACT))
    mean = (total / len(x) - scale.zero_point).unsqueeze(0)
    sums = product(anchor, mean, torch.tensor(weight.numbers).double())[0].numpy()
    made = sums.reshape(len(sums), -1).mean(1) * weight.scales.astype(np.float64) * scale.scale
    return replace(weight, bias=whole_bias(means - made, weight.scales, scale))
