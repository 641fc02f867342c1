"""Two linear layers with nothing but linear between them.

Together they can do no more than one linear layer. Layers that are meant as one factor of a larger linear map are left
alone: a depthwise convolution beside a 1×1 convolution, an embedding before a convolution.
`docs/errors/no-activation-between.md` shows it.
"""

from __future__ import annotations

from collections.abc import Iterator

from cnndsl.analyses.lints import warning
from cnndsl.diagnostics.errors import Diagnostic
from cnndsl.ir.graph import Graph, Node


def find(graph: Graph) -> Iterator[Diagnostic]:
    for node in graph.nodes:
        before = _linear_before(graph, node)
        if before is not None and not before.op.factor and not node.op.factor:
            yield from warning(
                "no-activation-between",
                graph,
                (node, before),
                f"`{before.op.word}` and `{node.op.word}` with no activation between do the work of one",
                ("the second linear layer", "the first one"),
                "put an activation between them: `→ ReLU →`",
            )


def _linear_before(graph: Graph, node: Node) -> Node | None:
    """The linear layer whose output reaches this linear layer, and only it, unchanged."""
    if node.op.category not in ("convolution", "dense"):
        return None
    name = node.inputs[0]
    inputs = {given.name for given in graph.inputs}
    while name not in inputs and len(graph.consumers[name]) == 1:
        before = graph[name]
        if before.op.category in ("convolution", "dense"):
            return before
        # Generators of images begin with a fully connected layer whose vector is laid out as a map: no one layer could do
        # its work and that of the convolution behind it.
        if not before.op.view or (before.type.kind == "map" and before.type != graph.input_types(before)[0]):
            return None
        name = before.inputs[0]
    return None
