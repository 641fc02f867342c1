"""The program of a network → machine code: plan, emitters, TVM's passes and code, in order."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from cnndsl.backends.tvm.code.compiled import Compiled
from cnndsl.backends.tvm.code.kinds import Code, Native
from cnndsl.backends.tvm.code.machine_code import machine_code
from cnndsl.backends.tvm.code.relax_main import relax_main
from cnndsl.backends.tvm.code.sequence import sequence
from cnndsl.backends.tvm.code.unscheduled import schedule_rest
from cnndsl.backends.tvm.emitters.assemble import assemble
from cnndsl.backends.tvm.emitters.bf16.maps import FEATURE, refuse_without_bf16
from cnndsl.backends.tvm.emitters.forms import KernelCall
from cnndsl.backends.tvm.emitters.quantized.kinds import refuse_without_int8
from cnndsl.backends.tvm.job import Job
from cnndsl.backends.tvm.kernels.choices import tuned_functions
from cnndsl.backends.tvm.library import load_tvm
from cnndsl.backends.tvm.program.steps import Program
from cnndsl.backends.tvm.target import Cpu, Gpu, find_cpu
from cnndsl.ir.graph import Graph

if TYPE_CHECKING:
    import numpy as np

    from cnndsl.backends.tvm.plan.quantized_network import QuantizedNetwork


def lower(graph: Graph, program: Program, job: Job, origin: str, quantized: QuantizedNetwork | None = None) -> Compiled:
    """Compiles the program of a network, whose weights came from `origin`; with `precision` int8 the program is that of
    `quantized`. Raises `CnnError` (unsupported-by-target)."""
    target = job.target
    if job.options.precision == "bf16":
        refuse_without_bf16(target)
    if quantized is not None:
        refuse_without_int8(target)
    module, lowered, constants, calls = lowered_module(program, job, quantized)
    code: Code
    if isinstance(target, Gpu):
        from cnndsl.backends.tvm.code.gpu import gpu_code

        code = gpu_code(lowered, target)
    elif target.kind == "c":
        from cnndsl.backends.tvm.code.c_network import c_code

        code = c_code(lowered, graph.name, list(constants))
    else:
        alone = sequence(lowered, list(constants)) if job.options.runtime == "alone" else None
        code = Native(machine_code(lowered, target.target), target.architecture, target.system, alone)
    tuned = tuned_functions(lowered)
    return Compiled(graph, program, module, lowered, code, constants, job, origin, tuned, calls, quantized)


def lowered_module(
    program: Program, job: Job, quantized: QuantizedNetwork | None = None
) -> tuple[Any, Any, dict[str, np.ndarray], tuple[KernelCall, ...]]:
    """The IRModule as assembled and after TVM's passes, its constants in the order `main` takes them, and its calls."""
    if isinstance(job.target, Gpu):
        from cnndsl.backends.tvm.code.gpu import assemble_plain, gpu_pipeline

        module, constants = assemble_plain(program, job.batch)
        return module, gpu_pipeline(job.target)(module), constants, ()
    main = assemble(program, job, quantized)
    module, calls = relax_main(main)
    constants = {constant.name: constant.array.numpy() for constant in main.constants}
    return module, optimised(module, job), constants, calls


def relowered(compiled: Compiled) -> Compiled:
    """The same network compiled for this machine, one example in a run: where a package is for another machine, this
    gives the numbers of its sample."""
    here = find_cpu("llvm")
    # The sample may be computed in float32: what bfloat16 changes in the numbers is within the tolerance of a package
    # in bf16.
    options = compiled.job.options
    if options.precision == "bf16" and FEATURE not in here.features:
        options = replace(options, precision="f32")
    job = replace(compiled.job, target=here, options=options, batch=1)
    return lower(compiled.graph, compiled.program, job, compiled.origin, compiled.quantized)


def optimised(module: Any, job: Job) -> Any:
    """The module after TVM's passes for processors, with a schedule for the functions that its legalisation makes."""
    tvm = load_tvm()
    from tvm.relax.backend.cpu_generic import pipeline

    def schedule(legal: Any, _context: Any) -> Any:
        return schedule_rest(legal, job.cpu.lanes, job.choices)

    target = job.cpu.target
    passes = [
        *pipeline.legalize_passes(target),
        tvm.transform.module_pass(schedule, opt_level=0, name="schedule_rest"),
        *pipeline.dataflow_lower_passes(target),
        *pipeline.finalize_passes(target),
    ]
    with target:
        return tvm.transform.Sequential(passes)(module)


def legal(module: Any, cpu: Cpu) -> Any:
    """The module after TVM's legalisation, before functions without a kernel get their schedule."""
    tvm = load_tvm()
    from tvm.relax.backend.cpu_generic import pipeline

    with cpu.target:
        return tvm.transform.Sequential(pipeline.legalize_passes(cpu.target))(module)
