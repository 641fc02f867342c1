"""Attention in which what asks is trained and the same for all examples: it is given a batch, as what it asks has one."""

from __future__ import annotations

from dataclasses import replace

from cnndsl.importing.patterns.beside import made_beside
from cnndsl.importing.trace import Node
from cnndsl.importing.web import Web

TARGETS = ("scaled_dot_product_attention",)


def rewrite(web: Web, node: Node) -> Node | None:
    """The attention with queries that have a batch."""
    q, k = node.arguments["query"], node.arguments["key"]
    if not web.still(q) or web.still(k):
        return None
    asking = made_beside(web, q, k, node)
    if asking is None or web.shape(asking) != web.shape(q):
        return None
    return replace(node, arguments={**node.arguments, "query": asking})
