"""Sums and rectifiers that write into what they read, where nobody else looks at it: less memory to move in training."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from cnndsl.backends.pytorch.library import torch
from cnndsl.backends.pytorch.live.module import LiveModule, forward_pass
from cnndsl.ir.graph import Graph, Node
from cnndsl.ops.relu import ReLU


def work_in_place(network: LiveModule, graph: Graph) -> None:
    """Makes sums and rectifiers of the network work in place in training. Values, gradients and keys stay what they are.

    Where a gradient needs a value that was written over, PyTorch notices it and raises RuntimeError.
    """
    for step in forward_pass(network, training=True).steps:
        node = graph[step.name]
        if isinstance(step.op, ReLU) and _alone(graph, node, 0):
            step.run = _rectified
        elif step.op.combines == "add" and step.op.is_plain and len(node.inputs) == 2 and _alone(graph, node, 0):
            step.run = _added


def _alone(graph: Graph, node: Node, place: int) -> bool:
    """Whether nobody but this node reads its input number `place`, and the input has the shape of the node's result."""
    read = node.inputs[place]
    made = next((n for n in graph.nodes if n.name == read), None)
    kept = any(output.node == read for output in graph.outputs)
    return (
        made is not None
        and made.op.fresh
        and not kept
        and node.inputs.count(read) == 1
        and graph.consumers[read] == (node,)
        and made.type == node.type
    )


def _rectified(_: Any, values: Sequence[Any]) -> Any:
    return torch.relu_(values[0])


def _added(_: Any, values: Sequence[Any]) -> Any:
    first, second = values
    # With mixed precision the two may differ in dtype; their sum has the wider one.
    return first.add_(second) if first.dtype == second.dtype else first + second
