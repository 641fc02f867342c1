"""Matrix products with a tensor that does not depend on the input and has fewer axes: rows of all its uses together."""

from __future__ import annotations

from dataclasses import replace
from math import prod

from cnndsl.importing.trace import Node, Ref
from cnndsl.importing.web import Web

TARGETS = ("matmul", "expand")


def rewrite(web: Web, node: Node) -> Node | None:
    """The product over rows side by side; or a tensor that is spread, as a sum with zeros."""
    return _rows(web, node) if node.target == "matmul" else _spread(web, node)


def _rows(web: Web, node: Node) -> Node | None:
    if "tensors" in node.arguments:
        return None
    a, b = node.arguments["self"], node.arguments.get("other", node.arguments.get("mat2"))
    if not isinstance(a, Ref) or not isinstance(b, Ref) or web.still(a) or not web.still(b):
        return None
    x, w = web.shape(a), web.shape(b)
    *common, channels, units = w
    lead = list(x[1 : len(x) - 2 - len(common)])
    if len(x) - 3 < len(common) or not lead or list(x[len(x) - 2 - len(common) : -2]) != common:
        return None
    count, rows = len(lead), x[-2]
    rank = len(x) - 1
    axes = (*range(count, rank - 2), *range(count), rank - 2, rank - 1)
    turned: Ref = a
    scope = node.scope
    if axes != tuple(range(rank)):
        turn = Node(
            f"{node.name}.first", "permute", {"self": a, "axes": axes}, (x[0], *(x[1 + n] for n in axes)), scope=scope
        )
        web.insert(turn, before=node.name)
        turned = Ref(turn.name)
    total = prod(lead) * rows
    flat = Node(f"{node.name}.rows", "reshape", {"self": turned}, (x[0], *common, total, channels), scope=scope)
    product = replace(
        node,
        name=f"{node.name}.product",
        arguments={"self": Ref(flat.name), "other": b},
        shape=(x[0], *common, total, units),
    )
    shape = (x[0], *common, *lead, rows, units)
    if shape == node.shape:
        web.insert(flat, before=node.name)
        web.insert(product, before=node.name)
        return replace(node, target="reshape", arguments={"self": Ref(product.name)})
    apart = Node(f"{node.name}.laid", "reshape", {"self": Ref(product.name)}, shape, scope=scope)
    for made in (flat, product, apart):
        web.insert(made, before=node.name)
    back = tuple(axes.index(n) for n in range(rank))
    return replace(node, target="permute", arguments={"self": Ref(apart.name), "axes": back})


_MOST_ZEROS = 4096


def _spread(web: Web, node: Node) -> Node | None:
    """A tensor that is repeated along axes on which it has one position: a sum with as many zeros."""
    x = node.arguments["self"]
    shape = web.shape(x)
    if web.still(x) or len(shape) != len(node.shape) or shape[0] != node.shape[0]:
        return None
    wide = tuple(n if m != n else 1 for n, m in zip(node.shape[1:], shape[1:], strict=True))
    if any(m not in (1, n) for n, m in zip(node.shape, shape, strict=True)) or prod(wide) > _MOST_ZEROS:
        return None
    values: object = 0.0
    for n in reversed(wide):
        values = (values,) * n
    zeros = Node(f"{node.name}.zeros", "const", {"self": x, "values": values}, (shape[0], *wide), scope=node.scope)
    web.insert(zeros, before=node.name)
    return Node(node.name, "add", {"self": x, "other": Ref(zeros.name)}, node.shape, node.dtype, node.scope)
