"""The pass that takes out the steps that do nothing in use, such as dropout."""

from __future__ import annotations

from dataclasses import replace

from cnndsl.backends.tvm.program.steps import Program, Step


def without_idle(program: Program) -> Program:
    """Without the steps whose value in use is their input; what read such a step reads its input."""
    stands_for: dict[str, str] = {}
    kept: list[Step] = []
    for step in program.steps:
        inputs = tuple(stands_for.get(name, name) for name in step.inputs)
        if _is_idle(step):
            stands_for[step.name] = inputs[0]
        else:
            kept.append(replace(step, inputs=inputs))
    outputs = {name: stands_for.get(step, step) for name, step in program.outputs.items()}
    return Program(program.inputs, tuple(kept), outputs)


def _is_idle(step: Step) -> bool:
    """Whether a step hands its input on as it is."""
    return step.op.view and step.xs == (step.type,)
