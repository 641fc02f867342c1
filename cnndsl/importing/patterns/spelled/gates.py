"""Activations written out: `x · sigmoid(x)`, `relu6(x + 3) / 6`, `x · that`, `x · tanh(softplus(x))`."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from cnndsl.importing.trace import Node, Ref
from cnndsl.importing.web import Web, common

TARGETS = ("mul", "div", "clamp")

_GATES = {"sigmoid": "silu", "hardsigmoid": "hardswish"}


def rewrite(web: Web, node: Node) -> Node | None:
    """The activation that ends here."""
    if node.target == "clamp":
        return _line(web, node)
    a, b = node.arguments.get("self"), node.arguments.get("other")
    ramp = _ramp(web, a)
    if ramp is not None and _scaled(node.target, b):
        return replace(node, target="hardsigmoid", arguments={"self": ramp}, scope=common(node))
    if node.target == "div" and _scaled("div", b) and (product := web.alone(a, "mul")) is not None:
        # x · relu6(x + 3) / 6
        x, gate = product.arguments["self"], product.arguments["other"]
        for value, other in ((x, gate), (gate, x)):
            if _ramp(web, other) == value:
                return replace(node, target="hardswish", arguments={"self": value}, scope=common(node, product))
    if node.target != "mul":
        return None
    for value, gate in ((a, b), (b, a)):
        made = web.alone(gate, *_GATES)
        if made is not None and made.arguments["self"] == value and "slope" not in made.arguments:
            return replace(node, target=_GATES[made.target], arguments={"self": value}, scope=common(node, made))
        curve = web.alone(gate, "tanh")
        soft = web.alone(curve.arguments["self"], "softplus") if curve is not None else None
        if curve is not None and soft is not None and soft.arguments["self"] == value:
            return replace(node, target="mish", arguments={"self": value}, scope=common(node, curve, soft))
    return None


def _line(web: Web, node: Node) -> Node | None:
    """`min(max(slope · x + offset, 0), 1)`."""
    moved = web.alone(node.arguments["self"], "add")
    scaled = web.alone(moved.arguments["self"], "mul") if moved is not None else None
    if moved is None or scaled is None or (node.arguments["min"], node.arguments["max"]) != (0, 1):
        return None
    slope, offset, x = scaled.arguments["other"], moved.arguments["other"], scaled.arguments["self"]
    if not isinstance(slope, int | float) or not isinstance(offset, int | float) or not isinstance(x, Ref):
        return None
    arguments = {"self": x, "slope": slope, "offset": offset}
    return replace(node, target="hardsigmoid", arguments=arguments, scope=common(scaled, moved, node))


def _scaled(target: str, by: Any) -> bool:
    return isinstance(by, int | float) and abs((by if target == "div" else 1 / by if by else 0) - 6) < 1e-6


def _ramp(web: Web, value: Any) -> Ref | None:
    """The x of `min(max(x + 3, 0), 6)`."""
    clamped = web.alone(value, "clamp", "relu6")
    if clamped is None or (
        clamped.target == "clamp" and (clamped.arguments["min"], clamped.arguments["max"]) != (0, 6)
    ):
        return None
    moved = web.alone(clamped.arguments["self"], "add")
    if moved is None or moved.arguments.get("other") != 3 or moved.arguments.get("alpha", 1) != 1:
        return None
    found = moved.arguments["self"]
    return found if isinstance(found, Ref) else None
