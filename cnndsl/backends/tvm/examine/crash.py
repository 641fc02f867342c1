"""Finding the kernel that brings the compiler down: every kernel is compiled by itself."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from cnndsl.backends.tvm.examine.stage import Stage, Tell
from cnndsl.backends.tvm.job import Job
from cnndsl.backends.tvm.kernels.choices import UNTUNED, Choices
from cnndsl.backends.tvm.library import load_tvm
from cnndsl.backends.tvm.lower import lowered_module
from cnndsl.backends.tvm.options import CompileOptions
from cnndsl.backends.tvm.plan.quantized_network import quantized_network
from cnndsl.backends.tvm.program.passes import program_of
from cnndsl.backends.tvm.target import Cpu, Gpu, find_targets
from cnndsl.ir.graph import Graph

if TYPE_CHECKING:
    import numpy as np

    from cnndsl.quantization.quantization import Quantization


def compile_apart(
    graph: Graph,
    weights: Mapping[str, np.ndarray],
    options: CompileOptions,
    target: str,
    batch: int,
    tell: Tell,
    choices: Mapping[Cpu | Gpu, Choices] | None = None,
    quantization: Quantization | None = None,
) -> None:
    """Compiles the network kernel by kernel, with what tuning chose for each processor; `tell` is given the name of
    what comes next before it is begun."""
    tvm = load_tvm()
    quantized = None if quantization is None else quantized_network(graph, quantization)
    program = program_of(graph, weights) if quantized is None else quantized.program
    named = find_targets(target)
    for processor in (named,) if isinstance(named, Gpu) else named:
        tell(Stage.COMPILING, "the layers into kernels")
        job = Job(processor, options, batch, (choices or {}).get(processor, UNTUNED))
        _, module, _, _ = lowered_module(program, job, quantized)
        for name, function in module.functions_items():
            if isinstance(function, tvm.tirx.PrimFunc):
                tell(Stage.COMPILING, f"the kernel {name.name_hint}")
                compile_one(tvm, function, processor.target)


def compile_one(tvm: Any, function: Any, target: Any) -> None:
    """Compiles one kernel; the code is thrown away."""
    tvm.tirx.build(tvm.IRModule({"kernel": function.with_attr("global_symbol", "kernel")}), target=target)
