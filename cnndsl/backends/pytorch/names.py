"""Which names a torch module can carry."""

from __future__ import annotations

from cnndsl.backends.pytorch.library import nn
from cnndsl.diagnostics.errors import CnnError, Diagnostic, Label
from cnndsl.ir.graph import Graph, Node

TAKEN = frozenset(dir(nn.Module())) | {"_network"}
"""Names that no layer can have: every torch module has a method or a setting of that name."""


def refuse_unspeakable(graph: Graph) -> None:
    """Raises `CnnError` for labels such as `half` or `training`, and for layers that are also scopes of others."""
    layers = {node.name for node in graph.nodes if node.owns_weights}
    refusals = []
    for node in graph.nodes:
        parts = node.name.split(".") if node.owns_weights else []
        for end, part in enumerate(parts, start=1):
            scope = ".".join(parts[:end])
            if part in TAKEN:
                refusals.append(
                    _refusal(graph, node, f"call a layer `{part}`: every torch module has something of that name")
                )
            elif scope in layers and end < len(parts):
                refusals.append(_refusal(graph, node, f"place `{node.name}` inside the layer `{scope}`"))
    if refusals:
        raise CnnError(refusals)


def _refusal(graph: Graph, node: Node, what: str) -> Diagnostic:
    span = graph.span(node)
    return Diagnostic(
        id="unsupported-by-backend",
        message=f"the torch back end cannot {what}",
        labels=(Label(span, node.name),) if span else (),
        help="give it another label",
    )
