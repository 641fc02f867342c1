"""One fully connected layer that holds most of the parameters.

It stands on a flattened map; a global average pool before it would leave one number a channel.
`docs/errors/heavy-fc.md` shows it.
"""

from __future__ import annotations

from collections.abc import Iterator

from cnndsl.analyses.lints import warning
from cnndsl.analyses.params import params
from cnndsl.diagnostics.errors import Diagnostic
from cnndsl.ir.graph import Graph, Node
from cnndsl.ir.tensor import TensorType


def find(graph: Graph) -> Iterator[Diagnostic]:
    counts = {name: state.total for name, state in params(graph).items()}
    whole = sum(counts.values())
    for node in (n for n in graph.nodes if n.name in counts):
        spread = _flattened(graph, node)
        if spread is None or 2 * counts[node.name] <= whole:
            continue
        lighter = sum(w.elements for w in node.op.weights((TensorType(shape=(spread.channels,)),)).values())
        yield from warning(
            "heavy-fc",
            graph,
            (node,),
            f"this layer holds {counts[node.name]:,} of {whole:,} parameters",
            (f"on {spread}, flattened to {spread.elements}",),
            f"with `GlobalAvgPool` before it, it would hold {lighter:,}",
        )


def _flattened(graph: Graph, node: Node) -> TensorType | None:
    """The map of several positions that reaches a fully connected layer, if one does."""
    if node.op.category != "dense":
        return None
    name = node.inputs[0]
    while name not in {given.name for given in graph.inputs}:
        before = graph[name]
        if not before.op.view:
            break
        name = before.inputs[0]
    x = graph.types[name]
    return x if x.kind == "map" and x.elements > x.channels else None
