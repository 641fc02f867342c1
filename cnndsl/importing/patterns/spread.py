"""A tensor spread over axes of size 1 before it is joined with one that has them: the merge spreads it by itself."""

from __future__ import annotations

from dataclasses import replace

from cnndsl.importing.trace import Node, Ref
from cnndsl.importing.web import Web

TARGETS = ("expand", "expand_as")
_MERGES = ("add", "sub", "mul", "div", "maximum", "minimum")


def rewrite(web: Web, node: Node) -> Node | None:
    """The tensor itself, where all that read it join it with the tensor that it was spread for."""
    x = node.arguments["self"]
    if web.still(x) or len(web.shape(x)) != len(node.shape) or not web.readers(node.name):
        return None
    for reader in web.readers(node.name):
        other = [ref for ref in reader.refs() if ref.name != node.name]
        if reader.target not in _MERGES or len(other) != 1 or web.shape(other[0]) != node.shape:
            return None
    if web.reads(node.name) != len(web.readers(node.name)):
        return None
    return replace(node, target="same", arguments={"self": Ref(x.name)})
