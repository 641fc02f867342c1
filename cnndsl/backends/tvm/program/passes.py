"""From a network to the program that is compiled: the passes, in order.

A pass takes a program and gives another that computes the same in use; no pass changes the program it is given.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING

from cnndsl.backends.tvm.program.channels_first import channels_first
from cnndsl.backends.tvm.program.equivalent import with_equivalents
from cnndsl.backends.tvm.program.fold import with_factors_folded
from cnndsl.backends.tvm.program.idle import without_idle
from cnndsl.backends.tvm.program.later import Later
from cnndsl.backends.tvm.program.steps import Program, Step
from cnndsl.ir.graph import Graph, weight_key

if TYPE_CHECKING:
    import numpy as np

Pass = Callable[[Program], Program]

PASSES: tuple[Pass, ...] = (
    # First, so that a dropout between a convolution and its batch norm does not part them.
    without_idle,
    # Before `channels_first`, which knows fewer layers, and before factors are folded, which go into convolutions.
    with_equivalents,
    # Before factors are folded: `Linear` over tokens becomes a convolution here.
    channels_first,
    with_factors_folded,
)


def program_of(graph: Graph, weights: Mapping[str, np.ndarray]) -> Program:
    """The program that is compiled: the network with these weights after all passes. Raises `Unlowered` for a layer
    that TVM has no form of."""
    *_, (_, program) = stages(graph, weights)
    return program


def program_without_weights(graph: Graph) -> Program:
    """The same program with arrays in it that have shapes and no numbers."""
    *_, (_, program) = stages(graph, None)
    return program


def stages(graph: Graph, weights: Mapping[str, np.ndarray] | None) -> Iterator[tuple[str, Program]]:
    """The program as the network has it, and after each pass, with the name of what was done last."""
    program = as_written(graph, weights)
    yield as_written.__name__, program
    for run in PASSES:
        program = run(program)
        yield run.__name__, program


def as_written(graph: Graph, weights: Mapping[str, np.ndarray] | None) -> Program:
    """A step for each node, with these weights or with none. Outputs that only training has are left out."""
    if weights is None:
        arrays = {entry.key: Later.absent(entry.weight.shape, entry.weight.dtype) for entry in graph.weights}
    else:
        arrays = {key: Later.of(array) for key, array in weights.items()}
    steps = [
        Step(
            name=node.name,
            op=node.op,
            inputs=node.inputs,
            xs=graph.input_types(node),
            type=node.type,
            weights={slot: arrays[weight_key(node.weights_of, slot)] for slot in graph.node_weights(node)},
        )
        for node in graph.nodes
    ]
    outputs = {o.name: o.node for o in graph.outputs if not o.training}
    return Program({i.name: i.type for i in graph.inputs}, tuple(steps), outputs)
