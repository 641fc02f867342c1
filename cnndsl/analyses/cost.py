"""Arithmetic of one inference."""

from __future__ import annotations

from typing import NamedTuple

from cnndsl.analyses.needed import needed
from cnndsl.ir.graph import Graph


class Cost(NamedTuple):
    """Work at batch 1. `macs` are multiply-adds of convolutions and matrix products, as torchvision's `_ops` counts them;
    `flops` are two for each of these and one per element of all other arithmetic."""

    macs: int = 0
    flops: int = 0


def cost(graph: Graph) -> dict[str, Cost]:
    """The work of each node in inference, shared layers once for every use.

    Nodes that feed no output, or only outputs that are there in training, are left out: the published figures are
    those of the network in use (Inception without its auxiliary heads).
    """
    found: dict[str, Cost] = {}
    for node in needed(graph):
        types = graph.input_types(node)
        macs = node.op.macs(types, node.type)
        found[node.name] = Cost(macs, 2 * macs + node.op.arithmetic(types, node.type))
    return found


def total(work: dict[str, Cost]) -> Cost:
    """The sum over nodes."""
    return Cost(*map(sum, zip(Cost(), *work.values(), strict=True)))
