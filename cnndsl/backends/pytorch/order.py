"""What both forms of the PyTorch back end agree on: the order of modules, and what runs in which mode."""

from __future__ import annotations

from collections.abc import Collection
from typing import NamedTuple

from cnndsl.analyses.needed import needed
from cnndsl.ir.graph import Graph, Node


def registration_order(graph: Graph, made: Collection[str]) -> list[str]:
    """The nodes in `made`, which have a module each, in the order of their registration.

    The order is the graph's. A layer that comes along with another and has no name of its own, such as the Flatten of FC,
    is registered before the next layer that has one.
    """
    listed = set(graph.modules)
    before: dict[str, list[str]] = {}
    waiting: list[str] = []
    for node in graph.nodes:
        if node.name in listed:
            before[node.name], waiting = waiting, []
        elif node.name in made:
            waiting.append(node.name)
    order = [name for listed_name in graph.modules for name in (*before.get(listed_name, ()), listed_name)]
    return [name for name in (*order, *waiting) if name in made]


class Mode(NamedTuple):
    """What runs in training or in inference: the nodes whose values are needed, and the outputs."""

    nodes: tuple[Node, ...]
    outputs: tuple[tuple[str, str], ...]
    """Pairs of the output's name and its node's."""


def mode(graph: Graph, *, training: bool) -> Mode:
    """What of the graph runs in one of the modes."""
    outputs = tuple((o.name, o.node) for o in graph.outputs if training or not o.training)
    return Mode(needed(graph, training=training), outputs)
