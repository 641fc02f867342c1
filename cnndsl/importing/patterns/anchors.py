"""Predictions for anchors: channels that are apart as anchors × numbers, positions put before them, all made one list."""

from __future__ import annotations

from dataclasses import replace

from cnndsl.importing.trace import Node
from cnndsl.importing.web import Web, common

TARGETS = ("reshape",)
_LAST = (2, 3, 0, 1)
"""Positions, then anchors and what is said of each."""


def rewrite(web: Web, node: Node) -> Node | None:
    """Channels that are cut in two and put behind the positions need not be cut: the list is the same."""
    moved = web.alone(node.arguments.get("self"), "permute")
    cut = web.alone(moved.arguments["self"], "reshape") if moved is not None else None
    if moved is None or cut is None or moved.arguments["axes"] != _LAST or len(node.shape) != 3:
        return None
    if len(web.shape(cut.arguments["self"])) != 4:
        return None
    x = cut.arguments["self"]
    batch, channels, *size = web.shape(x)
    if [batch, *size] != [cut.shape[0], *cut.shape[3:]] or channels != cut.shape[1] * cut.shape[2]:
        return None
    last = replace(
        moved,
        arguments={"self": x, "axes": (1, 2, 0)},
        shape=(batch, *size, channels),
        scope=common(cut, moved),
    )
    web.replace(moved, last)
    return replace(node, arguments={"self": web.ref(last)})
