"""Memory at batch 1, as the graph implies it."""

from __future__ import annotations

from typing import NamedTuple

from cnndsl.analyses.needed import needed
from cnndsl.analyses.params import Params
from cnndsl.ir.graph import Graph, Node


class Memory(NamedTuple):
    """Bytes at batch 1, but for `activations`, which are elements.

    `activations` and `activation_bytes` are the outputs of all nodes of inference, where a view (Flatten, Identity,
    Dropout in use) adds nothing to what it looks at.

    `inference` is weights and buffers plus the most that is alive at once: the inputs, which the caller holds
    throughout, the outputs from when they are made, every tensor that is still to be read, and the one being made. Nothing is
    computed in place. `live` is that without the weights.

    `training` is weights and buffers, a gradient for each trained weight, the inputs, and the outputs of all nodes
    of training, which the backward pass needs; a Dropout then has an output of its own. An optimizer's state comes on top.
    """

    activations: int
    activation_bytes: int
    live: int
    inference: int
    training: int


def memory(graph: Graph, state: Params) -> Memory:
    """What the network needs, given its weights' total. Kernels' scratch space and a framework's own memory are not in it."""
    nodes = needed(graph)
    made = [node for node in nodes if not _is_view(node)]
    given = sum(i.type.bytes for i in graph.inputs)
    live = given + _peak(graph, nodes)
    trained = needed(graph, training=True) if any(output.training for output in graph.outputs) else nodes
    return Memory(
        activations=sum([node.type.elements for node in made]),
        activation_bytes=sum([node.type.bytes for node in made]),
        live=live,
        inference=state.bytes + live,
        training=state.bytes
        + state.trained_bytes
        + given
        + sum([node.type.bytes for node in trained if not _is_view(node, training=True)]),
    )


def activation_bytes(node: Node) -> int:
    """Memory that a node's output takes in inference; none for a view."""
    return 0 if _is_view(node) else node.type.bytes


def _is_view(node: Node, *, training: bool = False) -> bool:
    return node.op.view and not (training and node.op.category == "regularization")


def _peak(graph: Graph, nodes: tuple[Node, ...]) -> int:
    """The most bytes that nodes' outputs take at once, in the order of the nodes."""
    buffer: dict[str, str] = {}
    for node in nodes:
        buffer[node.name] = buffer.get(node.inputs[0], node.inputs[0]) if _is_view(node) else node.name
    last: dict[str, int] = {}
    for step, node in enumerate(nodes):
        last[buffer[node.name]] = step
        last.update((buffer.get(name, name), step) for name in node.inputs)
    for output in graph.outputs:
        if not output.training:
            last[buffer.get(output.node, output.node)] = len(nodes)
    ending: dict[int, list[str]] = {}
    for name, step in last.items():
        ending.setdefault(step, []).append(name)
    inputs = {i.name for i in graph.inputs}
    now = most = 0
    for step, node in enumerate(nodes):
        now += activation_bytes(node)
        most = max(most, now)
        now -= sum(graph.types[name].bytes for name in ending.get(step, ()) if name not in inputs)
    return most
