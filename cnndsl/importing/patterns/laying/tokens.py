"""Maps laid out as tokens and back: `ToTokens`, `ToMap`."""

from __future__ import annotations

from dataclasses import replace
from math import prod

from cnndsl.importing.patterns.attending.channels import channels_of
from cnndsl.importing.trace import Node
from cnndsl.importing.web import Web, common

TARGETS = ("permute", "reshape", "linear")


def rewrite(web: Web, node: Node) -> Node | None:
    """The change of layout that ends here."""
    if node.target == "linear":
        return _of_one_token(web, node)
    if node.target == "permute" and node.arguments["axes"] == (1, 0):
        flat = web.alone(node.arguments["self"], "reshape")
        if flat is None:
            return None
        x = flat.arguments["self"]
        shape = web.shape(x)[1:]
        if len(shape) > 1 and flat.shape[1:] == (shape[0], prod(shape[1:])):
            return replace(node, target="to_tokens", arguments={"self": x}, scope=common(flat, node))
    if node.target == "reshape" and len(node.shape) == 4:
        turned = web.alone(node.arguments["self"], "permute")
        if turned is None or turned.arguments["axes"] != (1, 0) or turned.shape[1] != node.shape[1]:
            return None
        if channels_of(web, turned.arguments["self"]) != 1:
            return None
        _, _, h, w = node.shape
        return replace(
            node,
            target="to_map",
            arguments={"self": turned.arguments["self"], "h": h, "w": w},
            scope=common(turned, node),
        )
    return None


def _of_one_token(web: Web, node: Node) -> Node | None:
    """A linear layer of one token whose axis was taken away, and which is a token again behind it."""
    picked = web.alone(node.arguments["input"], "reshape")
    if (
        picked is None
        or len(node.shape) != 2
        or web.shape(picked.arguments["self"]) != (*picked.shape[:1], 1, picked.shape[1])
    ):
        return None
    readers = web.readers(node.name)
    if (
        not readers
        or any(r.target != "reshape" or r.shape[1] != 1 for r in readers)
        or web.reads(node.name) != len(readers)
    ):
        return None
    arguments = {**node.arguments, "input": picked.arguments["self"]}
    return replace(node, arguments=arguments, shape=(node.shape[0], 1, node.shape[1]))
