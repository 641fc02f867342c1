"""A network in a sentence."""

from __future__ import annotations

from cnndsl.analyses.cost import cost, total
from cnndsl.analyses.params import params
from cnndsl.backends.drawing.diagram.caption import count
from cnndsl.ir.graph import Graph


def description(graph: Graph) -> str:
    """The network in a sentence, for those who cannot see it."""
    starts = ", ".join(f"{i.name} {i.type}" for i in graph.inputs)
    ends = ", ".join(f"{o.name} {graph.types[o.node]}" for o in graph.outputs if not o.training)
    weights = sum(state.trained for state in params(graph).values())
    return (
        f"{graph.name}: from {starts} to {ends}; {len(graph.nodes)} layers, {count(weights)} parameters, "
        f"{count(total(cost(graph)).macs)} multiply-adds"
    )
