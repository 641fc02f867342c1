"""The program of a network → machine code: plan, emitters, TVM's passes and code, in order."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from cnndsl.backends.tvm.code.compiled import Compiled
from cnndsl.backends.tvm.code.kinds import Code, Native
from cnndsl.backends.tvm.code.machine_code import machine_code
from cnndsl.backends.tvm.code.unscheduled import schedule_rest
from cnndsl.backends.tvm.emitters import EMITTERS
from cnndsl.backends.tvm.emitters.bf16.maps import FEATURE, kept_as_pairs, refuse_without_bf16
from cnndsl.backends.tvm.emitters.forms import KernelCall, TensorForms
from cnndsl.backends.tvm.emitters.main_function import MainFunction
from cnndsl.backends.tvm.emitters.quantized.kinds import emit_quantized, refuse_without_int8
from cnndsl.backends.tvm.job import Job
from cnndsl.backends.tvm.kernels.choices import tuned_functions
from cnndsl.backends.tvm.library import load_tvm
from cnndsl.backends.tvm.plan.groups import Group, plan
from cnndsl.backends.tvm.plan.joins import find_joins
from cnndsl.backends.tvm.plan.quantized import with_tails
from cnndsl.backends.tvm.program.plain import variable
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
        code = Native(machine_code(lowered, target.target), target.architecture)
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
    module, constants, calls = assemble(program, job) if quantized is None else assemble_quantized(quantized, job)
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


def assemble(program: Program, job: Job) -> tuple[Any, dict[str, np.ndarray], tuple[KernelCall, ...]]:
    """The IRModule of the program, one kernel for each group, its constants in the order `main` takes them, and its
    calls."""
    groups = plan(program)
    main = MainFunction(job, find_joins(groups, job.cpu.lanes), kept_as_pairs(groups, program, job))

    def emit_all() -> None:
        for group in groups:
            _emit(main, group)

    return _assembled(main, program, emit_all)


def assemble_quantized(
    network: QuantizedNetwork, job: Job
) -> tuple[Any, dict[str, np.ndarray], tuple[KernelCall, ...]]:
    """The same for a network in whole numbers."""
    whole = [group.group for group in network.groups if group.kind != "float"]
    lanes = job.cpu.lanes
    main = MainFunction(job, find_joins(whole, lanes, lanes // 4), quantized=network)
    rounded = set(network.rounded)

    def emit_all() -> None:
        for name in network.program.inputs:
            # What a single layer reads is rounded for that layer, in the form that it likes.
            if name in rounded and main.readers[name] > 1:
                main.quads(name)
        for group in with_tails(network.program, network.groups):
            main.group = group.group
            if group.name in main.values:
                # A table that the kernel before it has looked up.
                continue
            if not emit_quantized(main, group):
                _emit(main, group.group)
                if group.name in rounded:
                    main.quads(group.name)

    return _assembled(main, network.program, emit_all)


def _emit(main: MainFunction, group: Group) -> None:
    main.group, before = group, len(main.calls)
    next(emit for emit in EMITTERS if emit(main, group))
    if len(main.calls) == before:
        main.calls.append(KernelCall(None, None, group))


def _assembled(
    main: MainFunction, program: Program, emit_all: Callable[[], None]
) -> tuple[Any, dict[str, np.ndarray], tuple[KernelCall, ...]]:
    relax = load_tvm().relax
    inputs = {name: variable(name, type, main.batch) for name, type in program.inputs.items()}
    with main.builder.function("main"):
        with main.builder.dataflow():
            for name, type in program.inputs.items():
                main.values[name] = TensorForms(type, plain=inputs[name])
            emit_all()
            main.group = None
            leaving = main.builder.emit_output(relax.Tuple([main.plain(step) for step in program.outputs.values()]))
        main.builder.emit_func_output(leaving, params=[*inputs.values(), *main.parameters])
    return main.builder.get(), main.constants, tuple(main.calls)


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
