"""A layer that comes along with another, such as the Flatten of FC, is moved out of a scope that it would begin."""

from __future__ import annotations

from cnndsl.ir.graph import Graph


def hoisted(graph: Graph) -> Graph:
    """The graph with layers without a name of their own, such as the Flatten of FC, one scope further out where they come
    first in their scope: what is left of the scope may then be a plain `nn.Sequential`."""
    listed = set(graph.modules)
    names = set(graph.types) | {part for node in graph.nodes for part in _scopes(node.name)}
    moved: dict[str, str] = {}
    for node in graph.nodes:
        *scope, last = node.name.split(".")
        inside = ".".join([*scope, ""])
        free = node.owns_weights and node.name not in listed and not node.op.merges and not graph.node_weights(node)
        target = ".".join([*scope[:-1], last])
        if free and scope and target not in names and not any(name.startswith(inside) for name in node.inputs):
            moved[node.name] = target
            names.add(target)
    if not moved:
        return graph
    nodes = tuple(
        node.model_copy(
            update={
                "name": moved.get(node.name, node.name),
                "inputs": tuple(moved.get(name, name) for name in node.inputs),
                "weights_of": moved.get(node.weights_of, node.weights_of),
            }
        )
        for node in graph.nodes
    )
    outputs = tuple(output.model_copy(update={"node": moved.get(output.node, output.node)}) for output in graph.outputs)
    fields = {name: getattr(graph, name) for name in Graph.model_fields}
    return Graph(**fields | {"nodes": nodes, "outputs": outputs})


def _scopes(name: str) -> list[str]:
    parts = name.split(".")
    return [".".join(parts[:end]) for end in range(1, len(parts))]
