"""Guards `backends/tvm/emitters/quantized/` and the kernels on whole numbers: packages give the numbers of the definition
in `quantization/arithmetic.py`, every bit of them, on every target."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from cnndsl.arrays.weights import initial_weights
from cnndsl.backends.tvm.build import build
from cnndsl.backends.tvm.emitters.assemble import assemble
from cnndsl.backends.tvm.job import Job
from cnndsl.backends.tvm.lower import lower
from cnndsl.backends.tvm.options import CompileOptions
from cnndsl.backends.tvm.predict import cpu_features
from cnndsl.backends.tvm.target import find_cpu, find_targets
from cnndsl.calibration import reference
from cnndsl.diagnostics.errors import CnnError
from cnndsl.pipeline import parse_text
from tests.backends.tvm.quantized.definition import drawn, input_of, outputs
from tests.backends.tvm.quantized.networks import NETWORKS
from tests.trust.test_reach import every_kernel, spoken

TARGETS = ("llvm", "llvm:alderlake", "x86-64-v4", "x86-64-v3", "x86-64-v2", "c")
"""With the dot products of AVX512-VNNI and AVX-VNNI, then vectors of 16, 8 and 4 numbers without these, and none."""
FAST = {("sums", "llvm", 1), ("unet", "x86-64-v3", 1), ("lenet", "c", 2)}
CASES = [
    pytest.param(name, target, batch, marks=() if (name, target, batch) in FAST else pytest.mark.slow)
    for name in NETWORKS
    for target in TARGETS
    for batch in (1, 2)
]


@pytest.mark.tvm
@pytest.mark.parametrize(("name", "target", "batch"), CASES)
def test_a_package_gives_the_numbers_of_the_definition(name: str, target: str, batch: int) -> None:
    cpu = find_targets(target)
    if not isinstance(cpu, tuple) or not set(cpu[0].features).issubset(cpu_features() or ()):
        pytest.skip(f"this machine has not the instructions of {target}")
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


@pytest.mark.tvm
def test_these_networks_use_every_kernel_on_whole_numbers() -> None:
    missing = {word for word in every_kernel() if word.startswith(("Int8", "Quantize", "Dequantize"))}
    assert len(missing) > 20
    for text in NETWORKS.values():
        network = drawn(parse_text(text).graph, 0)
        for target in ("llvm:znver5", "llvm:skylake-avx512"):
            job = Job(find_cpu(target), CompileOptions(precision="int8"))
            missing -= {word for call in assemble(network.program, job, network).calls for word in spoken(call.kernel)}
    assert not missing


@pytest.mark.tvm
def test_layers_in_float32_stand_between_those_on_whole_numbers(tmp_path: Path) -> None:
    text = "input 3×8×9\nConv3x3(16) → ReLU → Conv3x3(16) → BN → SiLU → PReLU → Conv1x1(5)"
    graph = parse_text(text).graph
    network = drawn(graph, 1, keep=frozenset({"2"}))
    inputs = input_of(graph, 2, seed=7)
    package = build(graph, quantization=network.quantization)
    (expected,) = reference.outputs(graph, network.quantization, inputs).values()
    # A number beside the middle of two whole ones may be rounded to the other.
    assert np.mean(np.abs(package(**inputs) - expected) > 1e-4 * np.abs(expected).max()) < 0.01
    assert package.manifest.tolerance == 2e-2
    package.dump(tmp_path)
    assert (tmp_path / "2-left-in-f32.txt").read_text("utf-8").split() == ["2", "5"]
    calls = [type(call.kernel).__name__ for call in package.compiled(1).calls]
    assert calls.count("ParametricReLU") == 1
    assert "Elementwise" not in calls


@pytest.mark.tvm
def test_parts_of_a_concatenation_are_computed_in_their_place() -> None:
    text = "input 16×8×8\nConv1x1(16) → cat{ id | Conv3x3(32) } → cat{ id | Conv3x3(16) → BN → SiLU } → Conv1x1(4)"
    graph = parse_text(text).graph
    package = build(graph, target="x86-64-v3", quantization=drawn(graph, 2).quantization)
    calls = [type(call.kernel).__name__ for call in package.compiled(1).calls]
    assert calls.count("Joined") == 2
    assert "QuantizedRoute" not in calls


@pytest.mark.tvm
def test_only_a_quantised_network_is_compiled_in_int8_and_only_for_processors() -> None:
    graph = parse_text("input 3×8×9\nConv3x3(4)").graph
    with pytest.raises(CnnError, match="not-quantized"):
        build(graph, options=CompileOptions(precision="int8"))
    with pytest.raises(CnnError, match="holds no quantised network"):
        build(graph, initial_weights(graph, 0), options=CompileOptions(precision="int8"), origin="w.safetensors")
    with pytest.raises(CnnError, match="unsupported-by-target"):
        build(graph, target="cuda:sm_80", quantization=drawn(graph, 0).quantization)


@pytest.mark.tvm
@pytest.mark.parametrize(
    "target",
    [
        "llvm:skylake-avx512",
        "llvm:cascadelake",
        *(
            pytest.param(name, marks=pytest.mark.slow)
            for name in ("llvm:haswell", "llvm:znver5", "aarch64:neoverse-n1")
        ),
    ],
)
def test_no_instruction_is_asked_for_that_a_processor_lacks(target: str) -> None:
    graph = parse_text("input 3×8×9\nConv3x3(20) → ReLU → DWConv3x3 → SiLU → Conv1x1(8)").graph
    network = drawn(graph, 0)
    job = Job(find_cpu(target), CompileOptions(precision="int8"))
    compiled = lower(graph, network.program, job, "drawn", network)
    fast = {call.kernel for call in compiled.calls if type(call.kernel).__name__.startswith("Int8")}
    assert bool(fast) == (target in ("llvm:cascadelake", "llvm:znver5"))
