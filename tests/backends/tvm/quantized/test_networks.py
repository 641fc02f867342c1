"""Guards `backends/tvm/emitters/quantized/` and the kernels on whole numbers: packages give the numbers of the definition
in `quantization/arithmetic.py`, every bit of them, on every target."""

from __future__ import annotations

import numpy as np
import pytest

from cnndsl.backends.tvm.build import build
from cnndsl.calibration import reference
from cnndsl.pipeline import parse_text
from tests.backends.tvm.quantized.definition import drawn, input_of, outputs
from tests.backends.tvm.quantized.networks import NETWORKS

TARGETS = ("llvm", "x86-64-v4", "x86-64-v3", "x86-64-v2", "c")
"""With VNNI's instructions where this machine has them, then vectors of 16, 8 and 4 numbers, and none."""
FAST = {("mobilenet", "llvm", 1), ("unet", "x86-64-v3", 1), ("lenet", "c", 2)}
CASES = [
    pytest.param(name, target, batch, marks=() if (name, target, batch) in FAST else pytest.mark.slow)
    for name in NETWORKS
    for target in TARGETS
    for batch in (1, 2)
]


@pytest.mark.tvm
@pytest.mark.parametrize(("name", "target", "batch"), CASES)
def test_a_package_gives_the_numbers_of_the_definition(name: str, target: str, batch: int) -> None:
    graph = parse_text(NETWORKS[name], name).graph
    network = drawn(graph, seed=len(name))
    inputs = input_of(graph, 2, seed=7)
    expected = outputs(network, inputs)
    package = build(graph, target=target, batch=batch, quantization=network.quantization)
    found = package(**inputs)
    for output, wanted in expected.items():
        got = found[output] if isinstance(found, dict) else found
        assert len(np.unique(wanted)) > 2
        assert np.array_equal(got, wanted)
    assert package.manifest.precision == "int8"
    assert package.manifest.tolerance == 0
    assert package.self_test() == 0


@pytest.mark.parametrize("name", NETWORKS)
def test_the_reference_gives_the_numbers_of_the_definition(name: str) -> None:
    graph = parse_text(NETWORKS[name], name).graph
    network = drawn(graph, seed=len(name))
    inputs = input_of(graph, 2, seed=7)
    expected = outputs(network, inputs)
    found = reference.outputs(graph, network.quantization, inputs)
    for output, wanted in expected.items():
        assert np.array_equal(found[output], wanted)
