"""What does nothing in use: dropout with no chance, and a branch silenced as one channel of dropout."""

from __future__ import annotations

from dataclasses import replace
from math import prod

from cnndsl.importing.trace import Node, Ref
from cnndsl.importing.web import Web, common

TARGETS = ("dropout", "feature_dropout", "reshape")


def rewrite(web: Web, node: Node) -> Node | None:
    """A `drop_path`, or nothing at all."""
    if node.target != "reshape":
        given = node.arguments.get("input", node.arguments.get("self"))
        return replace(node, target="same", arguments={"self": given}) if not node.arguments["p"] else None
    before = web.alone(node.arguments["self"], "reshape")
    if before is not None:
        # Two changes of shape are one, or none.
        x = before.arguments["self"]
        target = "same" if web.shape(x) == node.shape else "reshape"
        return replace(node, target=target, arguments={"self": x}, scope=common(before, node))
    drop = web.alone(node.arguments["self"], "feature_dropout")
    row = web.alone(drop.arguments["input"], "reshape") if drop is not None else None
    flat = web.alone(row.arguments["self"], "reshape") if row is not None else None
    if drop is None or row is None:
        return None
    # The changes of shape before it are one by now, or two where they were not alike.
    start = flat if flat is not None and web.shape(flat.arguments["self"]) == node.shape else row
    x = start.arguments["self"]
    if row.shape[1] != 1 or prod(row.shape) != prod(node.shape):
        return None
    if web.shape(x) != node.shape:
        # The first change of shape is also that of what comes before it.
        laid = Node(f"{node.name}.laid", "reshape", {"self": x}, node.shape, scope=common(start, node))
        web.insert(laid, before=node.name)
        x = Ref(laid.name)
    arguments = {"self": x, "p": drop.arguments["p"]}
    return replace(node, target="drop_path", arguments=arguments, scope=common(start, row, drop, node))
