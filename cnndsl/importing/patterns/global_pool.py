"""The mean or maximum of all positions whose axes go away: a global pool, and a reshape behind it."""

from __future__ import annotations

from dataclasses import replace

from cnndsl.importing.trace import Node
from cnndsl.importing.web import Web

TARGETS = ("mean", "amax")


def rewrite(web: Web, node: Node) -> Node | None:
    """The reshape behind a global pool that keeps its axes. Tokens stay as they are: their mean is a vector."""
    if node.arguments.get("keepdim"):
        return None
    x = node.arguments["self"]
    shape, axes = web.shape(x), tuple(node.arguments["axes"])
    rank = len(shape) - 2
    behind, before = tuple(range(1, rank + 1)), tuple(range(rank))
    if rank < 1 or (axes != behind and (axes != before or rank == 1)):
        return None
    kept = tuple(1 if n - 1 in axes else length for n, length in enumerate(shape))
    pool = replace(node, name=f"{node.name}.pool", arguments={**node.arguments, "keepdim": True}, shape=kept)
    web.insert(pool, before=node.name)
    return replace(node, target="reshape", arguments={"self": web.ref(pool)})
