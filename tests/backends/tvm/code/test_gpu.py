"""Guards `backends/tvm/code/gpu.py`. CUDA without a GPU: schedules whose twin on the processor gives PyTorch's
numbers, sources, nvcc's code.
"""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import numpy as np
import pytest

from cnndsl.arrays.drawn import drawn_weights
from cnndsl.backends.tvm import predict
from cnndsl.backends.tvm.build import build
from cnndsl.backends.tvm.code import gpu
from cnndsl.backends.tvm.code.gpu import assemble_plain, cubin, gpu_pipeline
from cnndsl.backends.tvm.library import load_tvm
from cnndsl.backends.tvm.package.loaded import load
from cnndsl.backends.tvm.program.passes import program_of
from cnndsl.backends.tvm.target import Gpu
from cnndsl.diagnostics.errors import MissingPart
from cnndsl.ir.graph import Graph
from cnndsl.pipeline import load as load_network
from cnndsl.pipeline import parse_text
from tests.backends.tvm.against_torch import inputs_for, torch_outputs
from tests.backends.tvm.code.serial_threads import serial
from tests.few import few

pytestmark = pytest.mark.tvm
AMPERE = Gpu("sm_80")
with_nvcc = pytest.mark.skipif(shutil.which("nvcc") is None, reason="takes nvcc")

NETWORKS = [
    "input 3×19×22\nConv3x3(24, 2) → BN → ReLU → DWConv3x3 → ReLU6 → add{ Conv3x3(24) → BN | id } → MaxPool → GlobalAvgPool → FC(7) → Softmax",
    "input 16×7×7\ncat{ id | Conv3x3(32, groups=4) | Conv1x1(3) } → GELU → AvgPool3x3(2, 1) → Flatten → FC(9) → LN → Tanh",
    # A label that begins with a digit, one channel in and out, which once crashed TVM's schedules (apache/tvm#20047).
    "input 1×12×12\nConv3x3(1) → ReLU → Conv1x1(1)",
]


def kernel_names(source: str) -> list[str]:
    """The kernels of CUDA source, in order."""
    return re.findall(r'extern "C" __global__ void (?:__launch_bounds__\(\d+\) )?(\w+)\(.*\) \{', source)


def twin_error(network: Graph, batch: int = 1) -> float:
    """The relative error of the serial twin against PyTorch."""
    tvm = load_tvm()
    weights, inputs = drawn_weights(network, 3), inputs_for(network, batch)
    module, constants = assemble_plain(program_of(network, weights), batch)
    twin = serial(gpu_pipeline(AMPERE)(module))
    executable = tvm.compile(twin, tvm.target.Target("llvm"), relax_pipeline=None)
    run = predict.vm_runnable(executable.mod, list(constants.values()))
    found = run(list(inputs.values()))
    expected = torch_outputs(network, weights, inputs)
    return max(float(np.abs(f - e).max() / np.abs(e).max()) for f, e in zip(found, expected.values(), strict=True))


@pytest.mark.parametrize("text", few(NETWORKS, {1}))
def test_schedules_are_right(text: str) -> None:
    assert twin_error(parse_text(text).graph, batch=2) < 1e-5


@with_nvcc
@pytest.mark.parametrize("text", few(NETWORKS, {0, 2}))
def test_a_package_has_source_and_machine_code_of_every_kernel(text: str, tmp_path: Path) -> None:
    package = build(parse_text(text).graph, target="cuda:sm_80")
    path = package.export(tmp_path / "p")
    source = (path / "kernels.cu").read_text("utf-8")
    code = (path / "kernels.cubin").read_bytes()
    names = kernel_names(source)
    assert names
    assert code[:4] == b"\x7fELF"
    assert [name for name in names if name.encode() not in code] == []
    if not _has_gpu():
        with pytest.raises(MissingPart, match=r"it is for an NVIDIA GPU \(sm_80\), and none is found"):
            load(path)


def _has_gpu() -> bool:
    return bool(load_tvm().cuda(0).exist)


def test_a_rule_that_fails_is_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    load_tvm()
    from tvm.s_tir.dlight import gpu as rules

    def broken(*_arguments: object) -> None:
        raise ValueError("index out of range")

    monkeypatch.setattr(rules.Matmul, "apply", broken)
    assert twin_error(parse_text(NETWORKS[0]).graph) < 1e-5
    for name in ("GEMV", "Reduction", "GeneralReduction", "Fallback"):
        monkeypatch.setattr(getattr(rules, name), "apply", broken)
    with pytest.raises(MissingPart, match=r"no CUDA schedule of the kernel \w+ \(Matmul: index out of range; GEMV"):
        build(parse_text(NETWORKS[2]).graph, target="cuda:sm_80")


def test_without_nvcc_a_package_keeps_the_source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = build(parse_text(NETWORKS[2]).graph, target="cuda:sm_90")
    monkeypatch.setattr(shutil, "which", lambda name, **_: None if name == "nvcc" else f"/usr/bin/{name}")
    path = package.export(tmp_path / "p")
    assert kernel_names((path / "kernels.cu").read_text("utf-8"))
    assert not (path / "kernels.cubin").exists()
    with pytest.raises(MissingPart, match="takes nvcc"):
        cubin("", AMPERE)


@pytest.mark.slow
@with_nvcc
@pytest.mark.parametrize("name", ["resnet18", "mobilenet_v2", "convnext_tiny"])
def test_whole_networks(name: str) -> None:
    network = load_network(name).graph
    package = build(network, target="cuda:sm_80")
    code = package._variants[0][0].code
    assert isinstance(code, gpu.CudaCode)
    machine_code = cubin(code.source, AMPERE)
    names = kernel_names(code.source)
    assert len(names) >= 20
    assert [kernel for kernel in names if kernel.encode() not in machine_code] == []


@pytest.mark.slow
@pytest.mark.parametrize("name", ["resnet18", "mobilenet_v2"])
def test_twins_of_whole_networks(name: str) -> None:
    assert twin_error(load_network(name, inputs={"image": "3x64x64"}).graph) < 1e-4
