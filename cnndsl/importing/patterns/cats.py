"""Branches: lists that grow (DenseNet), means of branches, maps of zeros, crops, sums of more than two."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from cnndsl.importing.trace import Node, Ref
from cnndsl.importing.web import Web, common

_JOINED = ("add", "mul", "maximum", "minimum", "matmul")
TARGETS = ("pad", "mean", "sum", "cat", "div", "new_zeros", "zeros_like", "slice", *_JOINED)


def rewrite(web: Web, node: Node) -> Node | None:
    """One branching operation as the language has it."""
    if node.target == "cat":
        return _grown(web, node)
    if node.target == "pad":
        return _filled(web, node)
    if node.target in ("mean", "sum"):
        return _over_branches(web, node)
    if node.target in ("div", "mul") and (mean := _mean(web, node)) is not None:
        return mean
    if node.target in ("new_zeros", "zeros_like"):
        return replace(node, target="zeros", arguments={"self": node.arguments["self"]})
    if node.target == "slice":
        return _crop(web, node)
    return _joined(web, node) if node.target in _JOINED else None


def _filled(web: Web, node: Node) -> Node | None:
    """A pad with another number than 0 behind one axis: that tensor joined with one of this number."""
    given, x = node.arguments, node.arguments.get("self")
    value, amounts = given.get("value"), given.get("pads")
    if given.get("mode") != "constant" or not value or amounts is None or not isinstance(x, Ref):
        return None
    shape = web.shape(x)
    wide = [(2 + n, pair) for n, pair in enumerate(amounts) if any(pair)]
    if len(wide) != 1 or wide[0][1] != (0, 1):
        return None
    axis = wide[0][0]
    one = (*shape[:axis], 1, *shape[axis + 1 :])
    here = {"self": x, "axis": axis - 1, "start": 0, "stop": 1, "step": 1}
    for name, target, arguments in (
        ("first", "slice", here),
        ("none", "zeros", {"self": Ref(f"{node.name}.first")}),
        ("filled", "add", {"self": Ref(f"{node.name}.none"), "other": float(value)}),
    ):
        web.insert(Node(f"{node.name}.{name}", target, arguments, one, scope=node.scope), before=node.name)
    return replace(node, target="cat", arguments={"tensors": [x, Ref(f"{node.name}.filled")], "axis": axis - 1})


def _over_branches(web: Web, node: Node) -> Node | None:
    """The mean or sum over an axis along which tensors were joined that are one position long."""
    joined = web.alone(node.arguments["self"], "cat")
    if joined is None or node.arguments["axes"] != (joined.arguments["axis"],) or node.arguments["keepdim"]:
        return None
    tensors = []
    for ref in joined.arguments["tensors"]:
        single = web.alone(ref, "reshape")
        if single is None or web.shape(single.arguments["self"]) != node.shape:
            return None
        tensors.append(single.arguments["self"])
    target = "mean of branches" if node.target == "mean" else "add"
    arguments = (
        {"self": tensors[0], "other": tensors[1]} if target == "add" and len(tensors) == 2 else {"tensors": tensors}
    )
    return replace(node, target=target, arguments=arguments, scope=common(joined, node))


def _grown(web: Web, node: Node) -> Node | None:
    """A concatenation that begins with all of another one takes that as its first branch."""
    tensors, axis = node.arguments["tensors"], node.arguments["axis"]
    if len(tensors) == 1:
        return replace(node, target="same", arguments={"self": tensors[0]})
    best: Node | None = None
    pending = [tensors[0].name]
    while pending:
        for other in web.readers(pending.pop()):
            if other.target != "cat" or other.name == node.name or other.arguments["axis"] != axis:
                continue
            flat = _flat(web, other)
            if 1 < len(flat) < len(tensors) and tensors[: len(flat)] == flat:
                best = other
                pending.append(other.name)
    if best is None:
        return None
    rest = tensors[len(_flat(web, best)) :]
    return replace(node, arguments={"tensors": [Ref(best.name), *rest], "axis": axis})


def _flat(web: Web, node: Node) -> list[Any]:
    """The tensors of a concatenation, and of the one it begins with."""
    first, *rest = node.arguments["tensors"]
    inner = web.made(first, "cat")
    return [*(_flat(web, inner) if inner is not None else [first]), *rest]


def _mean(web: Web, node: Node) -> Node | None:
    by = node.arguments.get("other")
    total = web.alone(node.arguments.get("self"), "add")
    if total is None or not isinstance(by, int | float) or not by:
        return None
    tensors = _tensors(total)
    divisor = by if node.target == "div" else 1 / by
    if abs(len(tensors) - divisor) > 1e-9 or any(web.still(t) for t in tensors):
        return None
    return replace(node, target="mean of branches", arguments={"tensors": tensors}, scope=common(total, node))


def _tensors(node: Node) -> list[Any]:
    if "tensors" in node.arguments:
        return list(node.arguments["tensors"])
    return [node.arguments["self"], node.arguments["other"]]


def _joined(web: Web, node: Node) -> Node | None:
    """A sum, product, maximum or matrix product whose first part is another that nobody else reads: one of three branches,
    joined from left to right."""
    if "tensors" in node.arguments or node.arguments.get("alpha", 1) != 1:
        return None
    first, other = web.alone(node.arguments["self"], node.target), node.arguments["other"]
    if first is None or not isinstance(other, Ref) or first.arguments.get("alpha", 1) != 1 or first.scope != node.scope:
        return None
    tensors = [*_tensors(first), other]
    alike = node.target == "matmul" or all(
        web.shape(tensor) == node.shape for tensor in tensors if isinstance(tensor, Ref)
    )
    if not alike or any(web.still(tensor) for tensor in tensors):
        return None
    return replace(node, arguments={"tensors": tensors}, scope=common(first, node))


def _crop(web: Web, node: Node) -> Node | None:
    """Slices of every axis behind the channels, in order, that keep the middle."""
    x, cut = node.arguments["self"], {node.arguments["axis"]: node}
    while (inner := web.alone(x, "slice")) is not None and inner.arguments["axis"] not in cut:
        cut[inner.arguments["axis"]] = inner
        x = inner.arguments["self"]
    before = web.shape(x)[1:]
    if 0 in cut or len(cut) != len(before) - 1 or len(before) < 3:
        return None
    for axis, part in cut.items():
        start, stop = part.arguments["start"], part.arguments["stop"]
        if part.arguments["step"] != 1 or start != (before[axis] - (stop - start)) // 2:
            return None
    return replace(node, target="crop", arguments={"self": x}, scope=common(*cut.values()))
