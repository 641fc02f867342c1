"""A package in whole numbers beside the reference: the same bits, wherever no layer in float32 comes before."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cnndsl.backends.pytorch.library import torch
from cnndsl.backends.tvm.plan.quantized import QuantizedGroup
from cnndsl.backends.tvm.plan.quantized_network import QuantizedNetwork
from cnndsl.calibration.reference import Reference

if TYPE_CHECKING:
    import numpy as np

    from cnndsl.calibration.ranges import Arrays


def exact_groups(network: QuantizedNetwork) -> frozenset[str]:
    """The groups whose result is defined to the bit: those that compute on whole numbers, and before which no layer in float32
    has computed anything."""
    exact = set(network.program.inputs)
    for group in network.groups:
        if group.kind != "float" and exact.issuperset(group.group.inputs):
            exact.add(group.name)
    return frozenset(exact - set(network.program.inputs))


def reference_values(network: QuantizedNetwork, inputs: Arrays) -> dict[str, np.ndarray]:
    """The result of each group as real numbers, batch included."""
    reference, values = Reference(network), {}

    def keep(group: QuantizedGroup, value: Any) -> None:
        values[group.name] = reference.real(group.name, value).numpy()

    reference.run({name: torch.from_numpy(array) for name, array in inputs.items()}, keep)
    return values
