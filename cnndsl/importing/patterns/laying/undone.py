"""Changes of a trained tensor's layout that undo each other: axes turned there and back, parts cut apart and joined again."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from cnndsl.importing.trace import Node, Ref
from cnndsl.importing.web import Web

TARGETS = ("permute", "reshape", "cat")


def rewrite(web: Web, node: Node) -> Node | None:
    """The tensor itself, where the operation brings back what it was."""
    if not web.still(web.ref(node)):
        return None
    before = {"permute": _turned, "reshape": _laid, "cat": _cut}[node.target](web, node)
    if before is None or web.shape(before) != node.shape:
        return None
    return replace(node, target="same", arguments={"self": before})


def _turned(web: Web, node: Node) -> Ref | None:
    inner = web.made(node.arguments["self"], "permute")
    if inner is None:
        return None
    there, back = inner.arguments["axes"], node.arguments["axes"]
    found: Ref = inner.arguments["self"]
    return found if [there[n] for n in back] == list(range(len(there))) else None


def _laid(web: Web, node: Node) -> Ref | None:
    inner = web.made(node.arguments["self"], "reshape")
    while inner is not None:
        before: Ref = inner.arguments["self"]
        if web.shape(before) == node.shape:
            return before
        inner = web.made(before, "reshape")
    return None


def _cut(web: Web, node: Node) -> Ref | None:
    """The tensor whose parts, all of them in order, are joined along the axis along which they were cut."""
    parts: list[Any] = [web.made(tensor, "slice") for tensor in node.arguments["tensors"]]
    if len(parts) < 2 or any(part is None for part in parts):
        return None
    given = [part.arguments for part in parts]
    whole: Ref = given[0]["self"]
    if any(a["self"] != whole or a["axis"] != node.arguments["axis"] or a["step"] != 1 for a in given):
        return None
    ends = [0, *(a["stop"] for a in given)]
    return whole if [a["start"] for a in given] == ends[:-1] else None
