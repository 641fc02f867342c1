"""Which nodes run in which mode."""

from __future__ import annotations

from cnndsl.ir.graph import Graph, Node


def needed(graph: Graph, *, training: bool = False) -> tuple[Node, ...]:
    """The nodes whose values reach an output, in order. Without `training`, outputs that only training has do not count."""
    wanted = {output.node for output in graph.outputs if training or not output.training}
    found = []
    for node in reversed(graph.nodes):
        if node.name in wanted:
            wanted.update(node.inputs)
            found.append(node)
    return tuple(reversed(found))
