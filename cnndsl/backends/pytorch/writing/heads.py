"""The layers that tell classes apart: how many they tell is an argument of the network."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from cnndsl.backends.pytorch.expression import Call, Expression
from cnndsl.backends.pytorch.writing.template import NUM_CLASSES
from cnndsl.ir.graph import Graph, Node

WIDTHS = ("out_features", "out_channels")
PASSING = ("activation", "regularization", "pooling")
"""Categories of layers that keep the number of channels, and do not mention it in a `forward`."""


def number_of_classes(graph: Graph) -> int | None:
    """How many classes a classifier tells apart; None where the outputs are no vectors of one length, made by layers."""
    heads = _heads(graph)
    return None if heads is None else next(iter(heads.values()))


def with_classes(graph: Graph, made: Mapping[str, Expression]) -> dict[str, Expression]:
    """The expressions that make layers, in which the number of classes is `num_classes` where a head has it."""
    heads = _heads(graph) or {}
    return {name: _widened(each) if name in heads else each for name, each in made.items()}


def _widened(made: Expression) -> Expression:
    assert isinstance(made, Call)
    return replace(made, arguments=tuple((n, NUM_CLASSES if n in WIDTHS else v) for n, v in made.arguments))


def _heads(graph: Graph) -> dict[str, int] | None:
    """The layer that gives each output, with its number of classes; None for a network that is no classifier."""
    nodes = {node.name: node for node in graph.nodes}
    sizes = {graph.types[output.node].shape for output in graph.outputs}
    if len(sizes) != 1 or len(next(iter(sizes))) != 1:
        return None
    ((count,),) = sizes
    if count == 1:
        return None
    heads = {_head(nodes, output.node, count) for output in graph.outputs}
    uses = [node.weights_of for node in graph.nodes]
    if None in heads or any(uses.count(head) != 1 for head in heads if head is not None):
        return None
    return dict.fromkeys(sorted(filter(None, heads)), count)


def _head(nodes: Mapping[str, Node], name: str, count: int) -> str | None:
    """The layer whose channels are the classes, on the way back from an output."""
    node = nodes.get(name)
    while node is not None and node.type.channels == count:
        if node.op.category in ("convolution", "dense"):
            return node.name if node.op.word in ("FC", "Linear", "Conv") and node.owns_weights else None
        if node.op.category not in PASSING and node.op.word != "Flatten":
            return None
        node = nodes.get(node.inputs[0]) if len(node.inputs) == 1 else None
    return None
