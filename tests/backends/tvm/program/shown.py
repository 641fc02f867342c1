"""Programs as text: what passes make of a network, a line for each step and output."""

from __future__ import annotations

from cnndsl.arrays.drawn import drawn_weights
from cnndsl.backends.tvm.program.passes import Pass, as_written
from cnndsl.pipeline import parse_text


def shown(text: str, *passes: Pass) -> str:
    """The program of a text after these passes, as `NAME = LAYER of INPUTS`, in front of each line a line end."""
    graph = parse_text(text).graph
    program = as_written(graph, drawn_weights(graph, 0))
    for run in passes:
        program = run(program)
    steps = [f"{step.name} = {step.op.text()} of {', '.join(step.inputs)}" for step in program.steps]
    outputs = [f"output {name} = {step}" for name, step in program.outputs.items()]
    return "".join(f"\n{line}" for line in [*steps, *outputs])
