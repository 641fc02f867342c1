"""Memory at batch 1, as the graph implies it."""

from __future__ import annotations

from typing import NamedTuple

from cnndsl.analyses.needed import needed
from cnndsl.analyses.params import Params
from cnndsl.ir.graph import Graph, Node
from cnndsl.ir.tensor import BYTES, TensorType


class Memory(NamedTuple):
    """Bytes, but for `activations`, which are the elements of one example.

    `activations` and `activation_bytes` are the outputs of all nodes of inference, where a view (Flatten, Identity,
    Dropout in use) adds nothing to what it looks at.

    `inference` is weights and buffers plus the most that is alive at once: the inputs, which the caller holds
    throughout, the outputs from when they are made, every tensor that is still to be read, and the one being made. Nothing is
    computed in place. `live` is `inference` without weights and buffers.

    `training` is weights and buffers, a gradient for each trained weight, the inputs, and the outputs of all nodes
    of training, which the backward pass needs; a Dropout then has an output of its own. An optimizer's state comes on top.
    """

    activations: int
    activation_bytes: int
    live: int
    inference: int
    training: int


def memory(graph: Graph, state: Params, batch: int = 1, float_bytes: int = 4) -> Memory:
    """What the network needs for `batch` examples, given its weights' total; a float32 takes `float_bytes`, as the bytes of
    `state` must have it, too. Kernels' scratch space and a framework's own memory are not in it."""

    def bytes_of(x: TensorType) -> int:
        return batch * x.elements * (float_bytes if x.dtype == "float32" else BYTES[x.dtype])

    nodes = needed(graph)
    sizes = {node.name: bytes_of(node.type) for node in nodes}
    made = [node for node in nodes if not node.op.view]
    given = sum(bytes_of(i.type) for i in graph.inputs)
    live = given + max(_alive(graph, nodes, sizes), default=0)
    kept = (node for node in needed(graph, training=True) if not node.op.view or node.op.category == "regularization")
    return Memory(
        activations=sum([node.type.elements for node in made]),
        activation_bytes=sum([sizes[node.name] for node in made]),
        live=live,
        inference=state.bytes + live,
        training=state.bytes
        + state.trained_bytes
        + given
        + sum([sizes.get(node.name) or bytes_of(node.type) for node in kept]),
    )


def timeline(graph: Graph) -> dict[str, int]:
    """The bytes alive while each node of inference runs, without the weights; in the order of the nodes."""
    nodes = needed(graph)
    given = sum(i.type.bytes for i in graph.inputs)
    alive = _alive(graph, nodes, {node.name: node.type.bytes for node in nodes})
    return {node.name: given + bytes for node, bytes in zip(nodes, alive, strict=True)}


def _alive(graph: Graph, nodes: tuple[Node, ...], sizes: dict[str, int]) -> list[int]:
    """The bytes of nodes' outputs alive while each of them runs, in the order of the nodes."""
    buffer: dict[str, str] = {}
    last: dict[str, int] = {}
    for step, node in enumerate(nodes):
        for name in node.inputs:
            last[buffer.get(name, name)] = step
        buffer[node.name] = buffer.get(node.inputs[0], node.inputs[0]) if node.op.view else node.name
        last[buffer[node.name]] = step
    for output in graph.outputs:
        if not output.training:
            last[buffer.get(output.node, output.node)] = len(nodes)
    ending = [0] * (len(nodes) + 1)
    for name, step in last.items():
        ending[step] += sizes.get(name, 0)
    now, alive = 0, []
    for step, node in enumerate(nodes):
        now += 0 if node.op.view else sizes[node.name]
        alive.append(now)
        now -= ending[step]
    return alive
