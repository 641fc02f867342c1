"""Rows of a table whose positions go to the end: `Embedding(map=true)`, which gives a map."""

from __future__ import annotations

from dataclasses import replace

from cnndsl.importing.trace import Node
from cnndsl.importing.web import Web, common

TARGETS = ("permute",)


def rewrite(web: Web, node: Node) -> Node | None:
    """The table with its channels first."""
    table = web.alone(node.arguments["self"], "embedding")
    rank = len(node.shape) - 1
    if table is None or table.arguments.get("map") or tuple(node.arguments["axes"]) != (rank - 1, *range(rank - 1)):
        return None
    return replace(node, target="embedding", arguments={**table.arguments, "map": True}, scope=common(table, node))
