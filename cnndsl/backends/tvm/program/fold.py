"""What only training needs is taken out: dropout goes away, batch norm and trained factors go into the layer before."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from cnndsl.backends.tvm.program.channels_first import channels_first
from cnndsl.backends.tvm.program.equivalent import Arrays, equivalent
from cnndsl.backends.tvm.program.plain import does_nothing
from cnndsl.backends.tvm.program.steps import Program as Program
from cnndsl.backends.tvm.program.steps import Step as Step
from cnndsl.ir.graph import Graph, weight_key
from cnndsl.ops.conv import Conv
from cnndsl.ops.fc import FC

if TYPE_CHECKING:
    import numpy as np


def fold(graph: Graph, weights: Mapping[str, np.ndarray]) -> Program:
    """The inference program of a network with these weights."""
    program = channels_first(_with_weights(graph, weights))
    readers = program.readers()
    stands_for: dict[str, str] = {}
    kept: dict[str, Step] = {}
    for step in program.steps:
        inputs = tuple(stands_for.get(name, name) for name in step.inputs)
        source = kept.get(inputs[0])
        if (
            step.op.scales_channels
            and source is not None
            and isinstance(source.op, Conv | FC)
            and readers[source.name] == 1
        ):
            kept[source.name] = _scaled(source, step)
            stands_for[step.name] = source.name
            readers[source.name] = readers[step.name]
        else:
            kept[step.name] = replace(step, inputs=inputs)
    outputs = {name: stands_for.get(step, step) for name, step in program.outputs.items()}
    return Program(program.inputs, tuple(kept.values()), outputs)


def _with_weights(graph: Graph, weights: Mapping[str, np.ndarray]) -> Program:
    steps: list[Step] = []
    stands_for: dict[str, str] = {}
    for node in graph.nodes:
        inputs = tuple(stands_for.get(name, name) for name in node.inputs)
        if does_nothing(graph, node):
            stands_for[node.name] = inputs[0]
            continue
        own: Arrays = {slot: weights[weight_key(node.weights_of, slot)] for slot in graph.node_weights(node)}
        xs = graph.input_types(node)
        *before, (op, own) = equivalent(node.op, xs[0], own)
        for index, (part, weights_of_part) in enumerate(before):
            name, type = f"{node.name}:{index}", part.infer(xs)
            steps.append(Step(name, part, inputs, xs, type, weights_of_part))
            inputs, xs = (name,), (type,)
        steps.append(Step(node.name, op, inputs, xs, node.type, own))
    outputs = {o.name: stands_for.get(o.node, o.node) for o in graph.outputs if not o.training}
    return Program({i.name: i.type for i in graph.inputs}, tuple(steps), outputs)


def scale_and_shift(norm: Step) -> tuple[np.ndarray, np.ndarray]:
    """The factor and the summand that a step which `scales_channels` comes to, of each channel or of all, in float64."""
    import numpy as np

    weights = {slot: np.asarray(array, np.float64) for slot, array in norm.weights.items()}
    scale, shift = norm.op.scale_and_shift(weights)
    return np.asarray(scale), np.asarray(shift)


def _scaled(linear: Step, norm: Step) -> Step:
    """The layer with the norm's factor in its weights and the summand in its bias, rounded to float32 once."""
    import numpy as np

    scale, shift = scale_and_shift(norm)
    weight = np.asarray(linear.weights["weight"], np.float64)
    bias = np.asarray(linear.weights.get("bias", 0.0), np.float64) * scale + shift
    weight = weight * scale.reshape(-1, *(1,) * (weight.ndim - 1))
    op = linear.op.model_copy(update={"bias": True})
    return replace(linear, op=op, weights={"weight": weight.astype(np.float32), "bias": bias.astype(np.float32)})
