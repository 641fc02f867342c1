"""Arithmetic with a trained tensor: `LayerScale`, `Scale`, `PosEmbed`, `ClassToken`."""

from __future__ import annotations

from dataclasses import replace

from cnndsl.importing.trace import Node, Ref
from cnndsl.importing.web import Web

TARGETS = ("mul", "add", "cat")


def rewrite(web: Web, node: Node) -> Node | None:
    """The layer that is one weight."""
    if node.target == "cat":
        tensors = node.arguments["tensors"]
        ref = web.weight_ref(tensors[0]) if len(tensors) == 2 else None
        if ref is None or node.arguments["axis"] != 0 or web.shape(tensors[0])[1:] != web.shape(ref)[1:]:
            return None
        if _uses(web, ref) > 1 or web.shape(ref)[:2] != (1, 1):
            return None
        return replace(node, target="class_token", arguments={"self": tensors[1], "weight": ref})
    a, b = node.arguments.get("self"), node.arguments.get("other")
    for value, other in ((a, b), (b, a)):
        weight = web.weight(other)
        if (
            weight is None
            or other is None
            or web.still(value)
            or web.weight_ref(other) is None
            or node.arguments.get("alpha", 1) != 1
        ):
            continue
        if _uses(web, web.weight_ref(other)) > 1:
            # A tensor that is taken several times is a layer of its own.
            continue
        shape = web.shape(other)
        if len(shape) == len(node.shape) and shape[0] == web.trace.batch != 1 and weight.elements == 1:
            # One number that was given a batch is a tensor of its own.
            continue
        axis = next((n for n, size in enumerate(reversed(shape)) if size != 1), None)
        if node.target == "mul" and axis is not None and weight.elements == max(weight.shape, default=1):
            # It may be laid out along the axis that it scales.
            place = len(node.shape) - 2 - axis
            arguments = {"self": value, "weight": web.weight_ref(other), "axis": place}
            return replace(node, target="layer_scale", arguments=arguments)
        if other != web.weight_ref(other):
            continue
        if node.target == "add" and weight.shape == (1, *node.shape[1:]):
            return replace(node, target="pos_embed", arguments={"self": value, "weight": other})
        if node.target == "mul" and set(weight.shape) <= {1}:
            return replace(node, target="scale", arguments={"self": value, "weight": other})
    return None


def _uses(web: Web, ref: Ref | None) -> int:
    """How many operations take a weight, changes of its shape aside."""
    count, pending = 0, [ref.name] if ref is not None else []
    while pending:
        for node in web.readers(pending.pop()):
            if node.target in ("reshape", "expand"):
                pending.append(node.name)
            else:
                count += 1
    return count
