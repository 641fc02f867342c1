"""A network's forward pass in two halves: up to the value of one node, and on from it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cnndsl.backends.pytorch.live.module import LiveModule, forward_pass


def value_of(network: LiveModule, node: str, inputs: Mapping[str, Any]) -> Any:
    """The value of a node in inference, from batched inputs by name; nothing after the node is computed."""
    values = dict(inputs)
    for step in forward_pass(network, training=False).steps:
        values[step.name] = step.result(network, values)
        if step.name == node:
            return values[node]
        for name in step.last_read:
            del values[name]
    raise KeyError(node)


def from_node(network: LiveModule, node: str, value: Any) -> Any:
    """The outputs, as the network gives them in its present mode, where that value of a node is known.

    Whatever else the outputs need must follow from the node alone.
    """
    taken = forward_pass(network, training=network.training)
    needed = {value for _, value in taken.outputs}
    later = []
    for step in reversed(taken.steps):
        if step.name in needed and step.name != node:
            later.append(step)
            needed.update(step.inputs)
    values = {node: value}
    for step in reversed(later):
        values[step.name] = step.result(network, values)
    if len(taken.outputs) == 1:
        return values[taken.outputs[0][1]]
    return {name: values[value] for name, value in taken.outputs}
