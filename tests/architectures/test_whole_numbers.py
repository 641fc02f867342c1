"""Guards packages of whole numbers over `architectures/`: every built-in network, quantised with drawn weights at a small size,
has in its package the bits of the reference."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from cnndsl.arrays.drawn import drawn_inputs, drawn_weights
from cnndsl.backends.tvm.build import build
from cnndsl.backends.tvm.examine.int8_layers import activations
from cnndsl.backends.tvm.plan.quantized import plan_quantized
from cnndsl.backends.tvm.plan.quantized_network import quantized_network
from cnndsl.backends.tvm.program.passes import program_of
from cnndsl.calibration.calibrate import quantize
from cnndsl.calibration.comparison import exact_groups, reference_values
from cnndsl.ir.graph import Graph
from tests.architectures.test_verification import NETWORKS, QUICK, network

pytestmark = pytest.mark.tvm


def differences(graph: Graph) -> Iterator[str]:
    """What of the package is not the reference, one line each. Where all outputs are defined to the bit, the package is compared
    as it would be shipped; behind layers in float32, each tensor before them."""
    weights, inputs = drawn_weights(graph, 0), drawn_inputs(graph, 0)
    if not any(group.kind == "product" for group in plan_quantized(program_of(graph, weights))):
        return
    table = quantize(graph, weights, inputs, {}).quantization
    whole = quantized_network(graph, table)
    expected, exact = reference_values(whole, inputs), exact_groups(whole)
    ends = whole.program.outputs
    if exact.issuperset(ends.values()):
        found = build(graph, quantization=table)(**inputs)
        got = found if isinstance(found, dict) else dict.fromkeys(ends, found)
        if all(np.array_equal(got[name], expected[group]) for name, group in ends.items()):
            return
    layers = activations(graph, whole, inputs)
    for name, values in layers.items():
        if name in exact and not np.array_equal(values, expected[name]):
            yield f"{name}: {int((values != expected[name]).sum()):,} of {values.size:,} numbers"
    if exact.issuperset(ends.values()):
        yield "the package, which was compiled as it is shipped"


@pytest.mark.slow
@pytest.mark.parametrize("name", NETWORKS)
def test_every_architecture_has_the_bits_of_the_reference(name: str) -> None:
    assert list(differences(network(name)))[:3] == []


def test_quick_ones_are_built_in() -> None:
    assert set(QUICK) <= set(NETWORKS)
