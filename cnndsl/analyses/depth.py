"""Depth as papers count it."""

from __future__ import annotations

from cnndsl.analyses.needed import needed
from cnndsl.ir.graph import Graph

COUNTED = frozenset({"convolution", "dense", "attention"})


def depth(graph: Graph) -> int:
    """Layers with weights on the longest path from an input to an output of inference.

    Counted are convolutions, dense layers and attention, once for every use; normalisations are not, although they
    have weights: VGG-16 is 16 deep with batch norm too, ResNet-50 is 50.
    """
    weighty = {entry.node for entry in graph.weights if entry.weight.trained}
    deepest: dict[str, int] = {}
    for node in needed(graph):
        counts = node.op.category in COUNTED and node.weights_of in weighty
        deepest[node.name] = max((deepest.get(name, 0) for name in node.inputs), default=0) + counts
    return max((deepest.get(output.node, 0) for output in graph.outputs if not output.training), default=0)
