"""The plan of a network: its program, by groups, as the instructions of `main`. TVM is not needed, and no number of a weight."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from cnndsl.backends.tvm.emitters import EMITTERS
from cnndsl.backends.tvm.emitters.bf16.maps import kept_as_pairs
from cnndsl.backends.tvm.emitters.forms import TensorForms
from cnndsl.backends.tvm.emitters.main_function import MainFunction
from cnndsl.backends.tvm.emitters.quantized.kinds import emit_quantized
from cnndsl.backends.tvm.emitters.recording.instructions import Main, Value
from cnndsl.backends.tvm.job import Job
from cnndsl.backends.tvm.plan.groups import Group, plan
from cnndsl.backends.tvm.plan.joins import find_joins
from cnndsl.backends.tvm.plan.quantized import with_tails
from cnndsl.backends.tvm.program.steps import Program

if TYPE_CHECKING:
    from cnndsl.backends.tvm.plan.quantized_network import QuantizedNetwork


def assemble(program: Program, job: Job, quantized: QuantizedNetwork | None = None) -> Main:
    """The function of the program, one kernel for each group; of a network in whole numbers where it is one."""
    return _real(program, job) if quantized is None else _whole(quantized, job)


def _real(program: Program, job: Job) -> Main:
    groups = plan(program)
    main = MainFunction(job, find_joins(groups, job.cpu.lanes), kept_as_pairs(groups, program, job))

    def emit_all() -> None:
        for group in groups:
            _emit(main, group)

    return _assembled(main, program, emit_all)


def _whole(network: QuantizedNetwork, job: Job) -> Main:
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
    main.emit_group(group, lambda: next(emit for emit in EMITTERS if emit(main, group)))


def _assembled(main: MainFunction, program: Program, emit_all: Callable[[], None]) -> Main:
    inputs = {name: Value((main.batch, *type.shape), type.dtype) for name, type in program.inputs.items()}
    for name, type in program.inputs.items():
        main.values[name] = TensorForms(type, plain=inputs[name])
    emit_all()
    main.group = None
    return main.finished(inputs, tuple(main.plain(step) for step in program.outputs.values()))
