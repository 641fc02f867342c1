"""Guards `backends/tvm/examine/crash.py`. What is compiled kernel by kernel after a crash is what was compiled
before it.
"""

from __future__ import annotations

from typing import Any

import pytest

import cnndsl
from cnndsl.arrays.weights import initial_weights
from cnndsl.backends.tvm.emitters.assemble import assemble
from cnndsl.backends.tvm.examine import crash
from cnndsl.backends.tvm.examine.stage import untold
from cnndsl.backends.tvm.job import Job
from cnndsl.backends.tvm.kernels.choices import TUNED, Choices
from cnndsl.backends.tvm.kernels.kernel import Tunable, key, settings
from cnndsl.backends.tvm.options import CompileOptions
from cnndsl.backends.tvm.program.passes import program_of
from cnndsl.backends.tvm.target import Cpu, Gpu, find_cpu


def test_kernels_are_those_that_tuning_chose(monkeypatch: pytest.MonkeyPatch) -> None:
    graph, cpu = cnndsl.load("lenet5").graph, find_cpu("llvm")
    weights = initial_weights(graph, 0)
    kernels = [call.kernel for call in assemble(program_of(graph, weights), Job(cpu)).calls]
    problem, other = next(
        (key(kernel), setting)
        for kernel in kernels
        if isinstance(kernel, Tunable)
        for setting, candidate in settings(kernel)
        if candidate != kernel
    )
    seen: list[Any] = []
    monkeypatch.setattr(crash, "compile_one", lambda _tvm, function, _target: seen.append(function))
    told: list[str] = []
    choices: dict[Cpu | Gpu, Choices] = {cpu: Choices({problem: other})}
    crash.compile_apart(graph, weights, CompileOptions(), "llvm", 1, lambda _stage, text: told.append(text), choices)
    assert len(seen) == len([text for text in told if text.startswith("the kernel ")])
    assert any(TUNED in function.attrs for function in seen)
    seen.clear()
    crash.compile_apart(graph, weights, CompileOptions(), "llvm", 1, untold)
    assert seen
    assert not any(TUNED in function.attrs for function in seen)
