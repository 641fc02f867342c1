"""The part of a network that stays as it is while the rest learns: where it ends, and what is still in it."""

from __future__ import annotations

from collections.abc import Collection

from cnndsl.ir.graph import Graph, Node


def stilled(graph: Graph, layers: Collection[str]) -> frozenset[str]:
    """The layers that silence values at random ahead of frozen `layers`, and after none that learns.

    What they silence would vary the features of layers that cannot learn to do without; so they are as in evaluation.
    """
    silencing = {node.name for node in graph.nodes if _silences(node)}
    fixed = fixed_nodes(graph, {*layers, *silencing})
    ahead: set[str] = set()
    for node in reversed(graph.nodes):
        if node.name in fixed and (node.name in ahead or graph.node_weights(node)):
            ahead.update(node.inputs)
    return frozenset(silencing & fixed & ahead)


def fixed_nodes(graph: Graph, layers: Collection[str]) -> frozenset[str]:
    """The nodes that give the same for an example in every epoch, where `layers` are frozen or stilled."""
    found = {i.name for i in graph.inputs}
    inputs = frozenset(found)
    for node in graph.nodes:
        own = node.weights_of in layers if graph.node_weights(node) else not _silences(node) or node.name in layers
        if own and found.issuperset(node.inputs):
            found.add(node.name)
    return frozenset(found - inputs)


def boundary(graph: Graph, layers: Collection[str]) -> str | None:
    """The one node through which all that learns sees the input; None where there is none such."""
    fixed = fixed_nodes(graph, layers)
    read = {name for node in graph.nodes if node.name not in fixed for name in node.inputs}
    read |= {output.node for output in graph.outputs}
    crossed = {name for name in read if name in fixed or name in {i.name for i in graph.inputs}}
    return crossed.pop() if len(crossed) == 1 and crossed <= fixed else None


def _silences(node: Node) -> bool:
    return node.op.category == "regularization"
