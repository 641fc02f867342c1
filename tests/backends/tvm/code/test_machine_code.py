"""Guards `backends/tvm/code/machine_code.py`. Kernels compiled side by side are those that TVM compiles one after
another.
"""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tvm

import cnndsl
from cnndsl.arrays.weights import initial_weights
from cnndsl.backends.tvm.code.compiled import Compiled
from cnndsl.backends.tvm.job import Job
from cnndsl.backends.tvm.lower import lower
from cnndsl.backends.tvm.package.dump import assembly
from cnndsl.backends.tvm.predict import vm_runnable
from cnndsl.backends.tvm.program.passes import program_of
from cnndsl.backends.tvm.target import find_cpu

SEVERAL = """
block Unit(c) { add{ Conv1x1(c) → BN → ReLU → DWConv3x3 → Conv3x3(c) → SiLU | Conv1x1(c) } → ReLU }
input 3×24×20
Conv5x5(20, 2) → ReLU → MaxPool3x3(1) → Unit(24) → AvgPool → Unit(33) → Unit(40) → cat{ id | Conv3x3(7) } → Conv1x1(9) → Softmax
→ Flatten → FC(11) → ReLU → FC(7) → LogSoftmax
"""
"""More kernels than a network is divided into parts."""


@pytest.fixture(scope="module")
def compiled() -> Compiled:
    graph = cnndsl.parse(SEVERAL).graph
    return lower(graph, program_of(graph, initial_weights(graph, 0)), Job(find_cpu("llvm")), "drawn")


@pytest.fixture(scope="module")
def whole(compiled: Compiled) -> Any:
    """The same kernels, compiled by TVM one after another."""
    return tvm.compile(compiled.lowered, compiled.job.target.target, relax_pipeline=None)


def _multiplications(text: str) -> Counter[str]:
    return Counter(re.findall(r"^\t((?:vf?n?m(?:add|ul)|fm)\w*)", text, re.MULTILINE))


def _entries(text: str) -> Counter[str]:
    return Counter(re.findall(r"^(__tvm_ffi_\w+):", text, re.MULTILINE))


def test_every_kernel_is_there_once_with_the_code_it_has_alone(compiled: Compiled, whole: Any) -> None:
    ours, theirs = (assembly(one.mod) for one in (compiled.code.executable, whole))  # type: ignore[attr-defined]
    assert len(_entries(theirs)) > 20
    assert _entries(ours) == _entries(theirs)
    assert _multiplications(theirs).total() > 1000
    assert _multiplications(ours) == _multiplications(theirs)


@pytest.mark.parametrize("name", ["lenet5", "m5"])
def test_no_part_of_a_small_network_takes_its_only_kernel_for_the_main_one(name: str) -> None:
    graph = cnndsl.load(name).graph
    made = lower(graph, program_of(graph, initial_weights(graph, 0)), Job(find_cpu("llvm")), "drawn")
    assert "__tvm_ffi_main" not in _entries(assembly(made.code.executable.mod))  # type: ignore[attr-defined]


def test_it_computes_the_same(compiled: Compiled, whole: Any) -> None:
    image = np.random.default_rng(0).standard_normal((1, 3, 24, 20), np.float32)
    results = []
    for one in (compiled.code.executable, whole):  # type: ignore[attr-defined]
        run = vm_runnable(one.mod, list(compiled.constants.values()))
        results.append(run([image]))
    for a, b in zip(*results, strict=True):
        np.testing.assert_array_equal(a, b)


def test_a_network_without_kernels(tmp_path: Path) -> None:
    file = tmp_path / "flat.cnn"
    file.write_text("model Flat() {\n  input 3x4x4\n  Flatten\n}\n")
    image = np.random.default_rng(0).standard_normal((1, 3, 4, 4), np.float32)
    np.testing.assert_array_equal(cnndsl.load(file).to_tvm()(image), image.reshape(1, -1))
