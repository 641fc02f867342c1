"""Graph and weights → machine code: the steps in order."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cnndsl.backends.tvm.emitters import EMITTERS
from cnndsl.backends.tvm.fold import Program, fold
from cnndsl.backends.tvm.groups import plan
from cnndsl.backends.tvm.joins import find_joins
from cnndsl.backends.tvm.kernels.generic import schedule_rest
from cnndsl.backends.tvm.library import load_tvm
from cnndsl.backends.tvm.options import Options
from cnndsl.backends.tvm.plain import refuse_unlowered, variable
from cnndsl.backends.tvm.target import Cpu, find_cpu
from cnndsl.backends.tvm.values import Assembly, Value
from cnndsl.ir.graph import Graph

if TYPE_CHECKING:
    import numpy as np


@dataclass(frozen=True)
class Compiled:
    """Machine code of `main(*inputs, *constants)`, which returns the outputs as a tuple, and what it was made from."""

    graph: Graph
    executable: Any
    constants: dict[str, np.ndarray]
    options: Options
    cpu: Cpu
    origin: str
    """Where the weights came from, in words."""


def lower(
    graph: Graph, weights: Mapping[str, np.ndarray], options: Options, *, target: str = "llvm", origin: str = "given"
) -> Compiled:
    """Compiles the network. Raises `CnnError` (unsupported-by-backend, unknown-target)."""
    cpu = find_cpu(target)
    refuse_unlowered(graph)
    program = fold(graph, weights)
    module, constants = assemble(program, cpu, options)
    executable = load_tvm().compile(module, cpu.target, relax_pipeline=_pipeline(cpu))
    return Compiled(graph, executable, constants, options, cpu, origin)


def assemble(program: Program, cpu: Cpu, options: Options) -> tuple[Any, dict[str, np.ndarray]]:
    """The IRModule of the program, one kernel for each group, and its constants in the order `main` takes them."""
    relax = load_tvm().relax
    groups = plan(program)
    a = Assembly(cpu, options, find_joins(groups, cpu.lanes))
    inputs = {name: variable(name, type, options.batch) for name, type in program.inputs.items()}
    with a.builder.function("main"):
        with a.builder.dataflow():
            for name, type in program.inputs.items():
                a.values[name] = Value(type, plain=inputs[name])
            for group in groups:
                next(emit for emit in EMITTERS if emit(a, group))
            leaving = a.builder.emit_output(relax.Tuple([a.plain(step) for step in program.outputs.values()]))
        a.builder.emit_func_output(leaving, params=[*inputs.values(), *a.parameters])
    return a.builder.get(), a.constants


def _pipeline(cpu: Cpu) -> Any:
    """TVM's pipeline for processors, with a schedule for the functions that its legalisation makes."""
    tvm = load_tvm()
    from tvm.relax.backend.cpu_generic import pipeline

    def schedule(module: Any, _context: Any) -> Any:
        return schedule_rest(module, cpu.lanes)

    target = cpu.target
    return tvm.transform.Sequential(
        [
            *pipeline.legalize_passes(target),
            tvm.transform.module_pass(schedule, opt_level=0, name="schedule_rest"),
            *pipeline.dataflow_lower_passes(target),
            *pipeline.finalize_passes(target),
        ]
    )
