"""What works on the last axis, with the channels brought there and back: `LN` and `Linear` on a map."""

from __future__ import annotations

from dataclasses import replace

from cnndsl.importing.trace import Node
from cnndsl.importing.web import Web, common

TARGETS = ("permute",)


def rewrite(web: Web, node: Node) -> Node | None:
    """The layer between a permutation and its inverse."""
    layer = web.alone(node.arguments["self"], "layer_norm", "linear", "rms_norm")
    if layer is None:
        return None
    first = "self" if "self" in layer.arguments else "input"
    before = web.alone(layer.arguments[first], "permute")
    if before is None:
        return None
    there, back = before.arguments["axes"], node.arguments["axes"]
    last = len(there) - 1
    if [there[n] for n in back] != list(range(len(there))) or list(there[:last]) != sorted(there[:last]):
        return None
    if layer.target != "linear" and layer.arguments["axes"] != (last,):
        return None
    arguments = {**layer.arguments, first: before.arguments["self"]}
    arguments |= {"axis": there[last]} if layer.target == "linear" else {"axes": (there[last],)}
    return replace(layer, name=node.name, arguments=arguments, shape=node.shape, scope=common(before, layer, node))
