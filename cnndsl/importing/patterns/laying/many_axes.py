"""More axes than a tensor of the language has: those that stay side by side are one, and those of one position are none."""

from __future__ import annotations

from dataclasses import replace
from math import prod

from cnndsl.importing.trace import Node, Ref
from cnndsl.importing.web import Web
from cnndsl.ir.tensor import MOST_AXES

_SUMS = ("add", "sub", "mul", "div", "maximum", "minimum")
TARGETS = ("permute", *_SUMS)


def rewrite(web: Web, node: Node) -> Node | None:
    """The operation along fewer axes, behind a change of shape and before one."""
    if len(node.shape) - 1 <= MOST_AXES or web.still(Ref(node.name)):
        return None
    return _turned(web, node) if node.target == "permute" else _joined(web, node)


def _reshaped(web: Web, node: Node, end: str, x: Ref, shape: tuple[int, ...]) -> Ref:
    """The tensor along other axes, from what it was before it was laid out in these."""
    while (made := web.made(x, "reshape")) is not None:
        x = made.arguments["self"]
    if web.shape(x) == shape:
        return x
    made = Node(f"{node.name}.{end}", "reshape", {"self": x}, shape, scope=node.scope)
    web.insert(made, before=node.name)
    return Ref(made.name)


def _turned(web: Web, node: Node) -> Node | None:
    """Axes that move together move as one."""
    x, axes = node.arguments["self"], node.arguments["axes"]
    batch, *shape = web.shape(x)
    groups: list[list[int]] = []
    for axis in axes:
        if shape[axis] == 1:
            continue
        if groups and axis > groups[-1][-1] and all(shape[n] == 1 for n in range(groups[-1][-1] + 1, axis)):
            groups[-1].append(axis)
        else:
            groups.append([axis])
    if len(groups) > MOST_AXES:
        return None
    order = sorted(range(len(groups)), key=lambda n: groups[n][0])
    before = tuple(prod(shape[axis] for axis in groups[n]) for n in order)
    laid = _reshaped(web, node, "fewer", x, (batch, *before))
    turn = tuple(order.index(n) for n in range(len(groups)))
    made = Node(
        f"{node.name}.turned",
        "permute",
        {"self": laid, "axes": turn},
        (batch, *(before[n] for n in turn)),
        scope=node.scope,
    )
    web.insert(made, before=node.name)
    return replace(node, target="reshape", arguments={"self": Ref(made.name)})


def _joined(web: Web, node: Node) -> Node | None:
    """Axes along which each tensor has all positions, or all have one, are one axis."""
    a, b = node.arguments["self"], node.arguments["other"]
    if any(not isinstance(x, Ref) or web.still(x) for x in (a, b)):
        return None
    shapes = [web.shape(x) for x in (a, b)]
    if any(len(shape) != len(node.shape) for shape in shapes):
        return None
    groups: list[tuple[tuple[bool, ...], list[int]]] = []
    for axis in range(1, len(node.shape)):
        if node.shape[axis] == 1:
            continue
        there = tuple(shape[axis] != 1 for shape in shapes)
        if groups and groups[-1][0] == there:
            groups[-1][1].append(axis)
        else:
            groups.append((there, [axis]))
    if len(groups) > MOST_AXES:
        return None
    sides = []
    for n, (x, shape) in enumerate(zip((a, b), shapes, strict=True)):
        wanted = (shape[0], *(prod(shape[axis] for axis in axes) for _, axes in groups))
        sides.append(_reshaped(web, node, f"side{n}", x, wanted))
    whole = (node.shape[0], *(prod(node.shape[axis] for axis in axes) for _, axes in groups))
    made = replace(
        node, name=f"{node.name}.joined", arguments={**node.arguments, "self": sides[0], "other": sides[1]}, shape=whole
    )
    web.insert(made, before=node.name)
    return Node(node.name, "reshape", {"self": Ref(made.name)}, node.shape, node.dtype, node.scope)
