"""What the layers of a network in bfloat16 give, to compare one by one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from cnndsl.backends.tvm.job import Job
from cnndsl.backends.tvm.lower import lower
from cnndsl.backends.tvm.options import CompileOptions
from cnndsl.backends.tvm.package.built import BuiltPackage
from cnndsl.backends.tvm.plan.groups import plan
from cnndsl.backends.tvm.program.passes import program_of
from cnndsl.backends.tvm.program.plain import refuse_unlowered
from cnndsl.backends.tvm.program.steps import Program
from cnndsl.backends.tvm.target import find_cpu
from cnndsl.ir.graph import Graph, Output

if TYPE_CHECKING:
    import numpy as np


def activations(
    graph: Graph, weights: Mapping[str, np.ndarray], inputs: Mapping[str, np.ndarray]
) -> dict[str, np.ndarray]:
    """The result of each kernel in order, by the node whose result it is, batch included.

    Maps leave the network here, and so before they are rounded for the next layer, which rounds them itself. Raises
    `CnnError` (unsupported-by-backend, unsupported-by-target) and `MissingPart`.
    """
    import numpy as np

    refuse_unlowered(graph)
    program = program_of(graph, weights)
    node_of = _nodes(graph, program)
    outputs = tuple(Output(name=node, node=node) for node in node_of.values())
    program = replace(program, outputs={node: step for step, node in node_of.items()})
    shown = graph.model_copy(update={"outputs": outputs})
    job = Job(find_cpu("llvm"), CompileOptions(precision="bf16"))
    compiled = lower(shown, program, job, "the given weights")
    found = BuiltPackage([[compiled]], "llvm")(*inputs.values())
    arrays = found if isinstance(found, dict) else {outputs[0].name: found}
    return {output.name: np.asarray(arrays[output.name]) for output in outputs}


def _nodes(graph: Graph, program: Program) -> dict[str, str]:
    """The last step of each group → the node that has its result; steps that are no node's are left out."""
    node_of = {node.name: node for node in graph.nodes}
    kept = {step.name for step in program.steps}
    gives = {name: name for name in kept if name in node_of}
    stands_for: dict[str, str] = {}
    for node in graph.nodes:
        if node.name not in kept and node.inputs:
            source = stands_for.get(node.inputs[0], node.inputs[0])
            stands_for[node.name] = source
            if source in gives:
                gives[source] = node.name
    return {
        step.name: gives[step.name]
        for step in (group.last for group in plan(program))
        if step.name in gives and step.type == node_of[gives[step.name]].type
    }
