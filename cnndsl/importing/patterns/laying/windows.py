"""What each window sees: laid out as columns, laid back over a map, and multiplied with filters that are computed for each
example, as CondConv's are."""

from __future__ import annotations

from dataclasses import replace
from math import prod
from typing import Any

from cnndsl.importing.trace import Node, Ref
from cnndsl.importing.web import Web

TARGETS = ("conv2d of each example", "im2col", "col2im")


def rewrite(web: Web, node: Node) -> Node | None:
    """Windows as the channels of a map, and what follows."""
    if node.target == "col2im":
        return _folded(web, node)
    return _columns(web, node) if node.target == "im2col" else _convolved(web, node)


def _columns(web: Web, node: Node) -> Node:
    """The windows of a map, all positions on one axis."""
    given, before = node.arguments, web.shape(node.arguments["self"])[2:]
    names = ("kernel_size", "stride", "padding", "dilation")
    windows = zip(before, *(two * 2 if len(two := list(given[name])) == 1 else two for name in names), strict=True)
    size = [(n + 2 * p - d * (k - 1) - 1) // s + 1 for n, k, s, p, d in windows]
    arguments = {name: given[name] for name in ("self", *names)}
    made = Node(f"{node.name}.windows", "unfold2d", arguments, (*node.shape[:2], *size), scope=node.scope)
    web.insert(made, before=node.name)
    for reader in web.readers(node.name):
        if reader.target == "reshape" and reader.shape == made.shape:
            # Laid out as a map again.
            same = replace(reader, target="same", arguments={"self": web.ref(made)})
            web.replace(reader, same)
            web.forward(same, web.ref(made))
    return replace(node, target="reshape", arguments={"self": web.ref(made)})


def _folded(web: Web, node: Node) -> Node | None:
    """Columns laid back over a map, numbers at one position added up."""
    given = node.arguments
    x = given["self"]
    names = ("kernel_size", "stride", "padding", "dilation")
    windows = zip(given["output_size"], *(given[name] for name in names), strict=True)
    size = [(n + 2 * p - d * (k - 1) - 1) // s + 1 for n, k, s, p, d in windows]
    if web.still(x) or len(size) != 2:
        return None
    laid = Node(f"{node.name}.windows", "reshape", {"self": x}, (*web.shape(x)[:2], *size), scope=node.scope)
    web.insert(laid, before=node.name)
    return replace(node, target="fold2d", arguments={**given, "self": Ref(laid.name)})


def _convolved(web: Web, node: Node) -> Node | None:
    """What a convolution makes of a map with the filters that stand beside it: `node` has the map's channels on the third axis and
    the filters, output channels first, as its weight."""
    given = node.arguments
    batch, _, out, *size = node.shape
    _, _, channels, *before = web.shape(given["input"])
    groups, kernel = given["groups"], web.shape(given["weight"])[3:]
    if given["bias"] is not None:
        return None

    def step(name: str, target: str, shape: tuple[int, ...], **arguments: Any) -> Ref:
        made = Node(f"{node.name}.{name}", target, arguments, shape, scope=node.scope)
        web.insert(made, before=node.name)
        return web.ref(made)

    seen, depth = step("map", "reshape", (batch, channels, *before), self=given["input"]), channels * prod(kernel)
    if prod(kernel) > 1 or given["stride"] != [1, 1]:
        window = {name: given[name] for name in ("stride", "padding", "dilation")}
        seen = step("windows", "unfold2d", (batch, depth, *size), self=seen, kernel_size=list(kernel), **window)
    parts = (groups,) if groups > 1 else ()
    columns = step("columns", "reshape", (batch, *parts, depth // groups, prod(size)), self=seen)
    filters = step("filters", "reshape", (batch, *parts, out // groups, depth // groups), self=given["weight"])
    product = step("product", "matmul", (batch, *parts, out // groups, prod(size)), self=filters, other=columns)
    for turned in web.readers(node.name):
        # The examples' axis is brought to the front again, which it is already.
        for laid in web.readers(turned.name):
            if (turned.target, laid.target) == ("permute", "reshape") and laid.shape == (batch, out, *size):
                web.replace(laid, replace(laid, arguments={"self": product}))
    return replace(node, target="reshape", arguments={"self": product})
