"""GELU written out: `x · ½ · (1 + erf(x / √2))`, in the orders that exporters write it."""

from __future__ import annotations

from dataclasses import replace
from math import sqrt
from typing import Any

from cnndsl.importing.trace import Node, Ref
from cnndsl.importing.web import Web, common

TARGETS = ("mul",)


def rewrite(web: Web, node: Node) -> Node | None:
    """The GELU whose last product this is."""
    numbers, values, pieces = _factors(web, node)
    if len(values) != 2 or abs(numbers - 0.5) > 1e-6:
        return None
    for x, gate in (values, values[::-1]):
        plus = web.alone(gate, "add")
        if plus is None:
            continue
        erf = web.alone(plus.arguments["self"], "erf")
        if erf is None or plus.arguments.get("other") != 1:
            continue
        scaled = web.alone(erf.arguments["self"], "div", "mul")
        if scaled is None or scaled.arguments["self"] != x:
            continue
        by = scaled.arguments["other"]
        factor = by if scaled.target == "mul" else 1 / by if isinstance(by, int | float) and by else 0
        if isinstance(factor, int | float) and abs(factor - 1 / sqrt(2)) < 1e-5:
            scope = common(node, *pieces, plus, erf, scaled)
            return replace(node, target="gelu", arguments={"self": x, "approximate": "none"}, scope=scope)
    return None


def _factors(web: Web, node: Node) -> tuple[float, list[Any], list[Node]]:
    """The numbers of a product multiplied, its tensors, and the operations it is made of."""
    numbers, pieces = 1.0, [node]
    values: list[Any] = []
    for value in (node.arguments["self"], node.arguments["other"]):
        inner = web.alone(value, "mul")
        if isinstance(value, int | float):
            numbers *= value
        elif inner is not None and len(pieces) < 3:
            more, found, made = _factors(web, inner)
            numbers, values, pieces = numbers * more, [*values, *found], [*pieces, *made]
        elif isinstance(value, Ref):
            values.append(value)
    return numbers, values, pieces
