"""Rotary position embedding: `x · cos + turned(x) · sin` with tables of constants, as `RoPE`, whose numbers are found from them."""

from __future__ import annotations

from dataclasses import replace
from math import log10, pi
from typing import Any

from cnndsl.importing.patterns.attending.heads import side_by_side
from cnndsl.importing.patterns.attending.parts import factors
from cnndsl.importing.trace import Node, Ref
from cnndsl.importing.web import Web, common
from cnndsl.ir.shared.turning import Counted, Order, Turning

TARGETS = ("add", "cat")
_COUNTED: tuple[Counted, ...] = ("index", "centred")
_ORDERS: tuple[Order, ...] = ("yx", "xy")
_CLOSE = 2e-5
"""How far sines and cosines of float32 angles may lie from the exact ones."""


def rewrite(web: Web, node: Node) -> Node | None:
    """The tokens turned, with the heads side by side in the channels, then laid out as the code has them."""
    if node.target == "cat":
        return _behind_others(web, node)
    if any(_ahead(web, reader) is not None for reader in web.readers(node.name)):
        # What stands before the tokens is seen together with them.
        return None
    found = _turned(web, node)
    return _laid(web, node, *found, prefix=0) if found is not None else None


def _behind_others(web: Web, node: Node) -> Node | None:
    """Tokens of which the first stay as they are."""
    found = _ahead(web, node)
    if found is None:
        return None
    whole, prefix, turned, pieces = found
    return _laid(web, node, whole, turned, pieces, prefix=prefix)


def _ahead(web: Web, node: Node) -> tuple[Ref, int, dict[str, Any], list[Node]] | None:
    """The tensor whose first tokens stay, how many they are, and how the others are turned."""
    tensors = node.arguments.get("tensors")
    if node.target != "cat" or tensors is None or len(tensors) != 2:
        return None
    last = web.made(tensors[1], "add")
    found = _turned(web, last) if last is not None else None
    if found is None or web.reads(tensors[1].name) != 1:
        return None
    rest, turned, pieces = found
    axis, cuts = node.arguments["axis"], [web.made(tensors[0], "slice"), web.made(rest, "slice")]
    if cuts[0] is None or cuts[1] is None or turned["axis"] != axis:
        return None
    first, second = (cut.arguments for cut in cuts if cut is not None)
    whole, length = first["self"], node.shape[axis + 1]
    prefix = first["stop"]
    parts = [{key: value for key, value in given.items() if key != "self"} for given in (first, second)]
    wanted = [{"axis": axis, "start": n, "stop": m, "step": 1} for n, m in ((0, prefix), (prefix, length))]
    if parts != wanted or not _alike(web, whole, second["self"]):
        return None
    return (whole, prefix, turned, pieces) if web.shape(whole) == node.shape else None


def _turned(web: Web, node: Node) -> tuple[Ref, dict[str, Any], list[Node]] | None:
    """The tensor that is turned, the arguments of `RoPE`, and the operations that do it."""
    if node.target != "add" or node.arguments.get("alpha", 1) != 1:
        return None
    kept, moved = (web.alone(node.arguments[name], "mul") for name in ("self", "other") if name in node.arguments)
    if kept is None or moved is None:
        return None
    (x, cos), (other, sin) = _with_table(web, kept), _with_table(web, moved)
    if cos is None or sin is None or x is None or other is None:
        return None
    pairs = _pairs(web, x, other)
    if pairs is None:
        return None
    shape = web.shape(x)
    long = [n for n, length in enumerate(cos.shape[:-1]) if length != 1]
    if cos.shape != sin.shape or cos.shape[-1] != shape[-1] or len(long) != 1:
        return None
    axis = len(shape) - cos.ndim + long[0] - 1
    if axis not in (len(shape) - 3, len(shape) - 4) or web.shape(x)[axis + 1] != cos.shape[long[0]]:
        return None
    numbers = _numbers(cos.reshape(-1, shape[-1]), sin.reshape(-1, shape[-1]), pairs)
    return (x, {**numbers, "axis": axis}, [node, kept, moved]) if numbers is not None else None


def _with_table(web: Web, product: Node) -> tuple[Ref | None, Any]:
    """The tensor and the constant of a product."""
    x, table = product.arguments["self"], product.arguments["other"]
    if isinstance(x, Ref) and web.still(x):
        x, table = table, x
    if not isinstance(x, Ref) or not isinstance(table, Ref) or web.still(x):
        return None, None
    numbers = web.constant(table)
    return x, numbers if numbers is not None and numbers.ndim > 1 and numbers.dtype.kind == "f" else None


def _pairs(web: Web, x: Ref, other: Ref) -> str | None:
    """Which channels are pairs, if `other` has for each channel of x the other one of its pair, that of the first negated."""
    d, last = web.shape(x)[-1], len(web.shape(x)) - 2
    laid = web.made(other, "reshape")
    joined = web.made(laid.arguments["self"] if laid is not None else other, "cat")
    if joined is None or len(joined.arguments["tensors"]) != 2:
        return None
    parts = [_past_reshape(web, part) for part in joined.arguments["tensors"]]
    negated = web.made(parts[0], "mul")
    if negated is None or negated.arguments["other"] != -1.0:
        return None
    cuts = [web.made(part, "slice") for part in (negated.arguments["self"], parts[1])]
    if any(cut is None or cut.arguments["axis"] != last or not _alike(web, cut.arguments["self"], x) for cut in cuts):
        return None
    taken = [tuple(cut.arguments[key] for key in ("start", "stop", "step")) for cut in cuts if cut is not None]
    if laid is None:
        return "halves" if taken == [(d // 2, d, 1), (0, d // 2, 1)] and joined.arguments["axis"] == last else None
    neighbours = [[*range(*cut)] for cut in taken] == [[*range(1, d, 2)], [*range(0, d, 2)]]
    return "neighbours" if neighbours and joined.arguments["axis"] == last + 1 else None


def _alike(web: Web, a: Ref, b: Ref) -> bool:
    """Whether two tensors are the same one, laid out or cut in the same way."""
    if a == b:
        return True
    one, other = (web.made(ref, "reshape", "slice", "permute") for ref in (a, b))
    if one is None or other is None or (one.target, one.shape) != (other.target, other.shape):
        return False
    told = [{key: value for key, value in node.arguments.items() if key != "self"} for node in (one, other)]
    return told[0] == told[1] and _alike(web, one.arguments["self"], other.arguments["self"])


def _past_reshape(web: Web, x: Ref) -> Ref:
    node = web.made(x, "reshape")
    return node.arguments["self"] if node is not None else x


def _numbers(cos: Any, sin: Any, pairs: str) -> dict[str, Any] | None:
    """The arguments of `RoPE` whose tables these are, positions × channels; None where they are no such tables."""
    import numpy as np

    n, d = cos.shape
    waves = cos.astype("float64") + 1j * sin.astype("float64")
    first, second = (waves[:, : d // 2], waves[:, d // 2 :]) if pairs == "halves" else (waves[:, ::2], waves[:, 1::2])
    if not np.array_equal(first, second) or abs(abs(first) - 1).max() > _CLOSE:
        return None
    for sizes in ((n,), *factors(n, 2), *factors(n, 3)):
        if d % (2 * len(sizes)) or min(sizes) < 2:
            continue
        for order in _ORDERS[: len(sizes)]:
            found = _along(first, sizes, order)
            if found is not None:
                return {"pairs": pairs, **found}
    return None


def _along(waves: Any, sizes: tuple[int, ...], order: Order) -> dict[str, Any] | None:
    """The same for a map of these sizes. `waves` has a complex number of length 1 for each position and pair."""
    import numpy as np

    rank, count = len(sizes), waves.shape[1] // len(sizes)
    probe = Turning(sizes, count, 1.0, order=order)
    steps, starts = [], []
    for index, axis in enumerate(probe.axes):
        # Along the other axes, the first position stands for all.
        laid = waves.reshape(*sizes, -1)[tuple(slice(None) if m == axis else 0 for m in range(rank))]
        own = laid[:, index * count : (index + 1) * count]
        steps.append(np.angle(own[1] / own[0]))
        starts.append(np.angle(own[0]))
        if abs(own[-1] / own[0] - np.exp(1j * steps[-1] * (sizes[axis] - 1))).max() > _CLOSE * sizes[axis]:
            return None
    if any((step <= 0).any() for step in steps):
        return None
    base = _base(steps[0], count)
    for counted in _COUNTED:
        grid, offsets = [], []
        for axis, step, start in zip(probe.axes, steps, starts, strict=True):
            per_turn = 4 * pi / sizes[axis] if counted == "centred" else 1.0
            spread = step[0] * sizes[axis] if counted == "index" else step[0] / per_turn * sizes[axis]
            grid.append(round(spread))
            slowest = start[-1] / (step[-1] / step[0]) if count > 1 else start[0]
            begin = slowest / step[0]
            offsets.append(round(begin + (sizes[axis] / 2 - 0.5 if counted == "centred" else 0), 2))
        grids = tuple(grid) if order == "yx" else tuple(grid[::-1])
        if len(set(offsets)) != 1 or (counted == "centred" and grids != sizes) or min(grids) < 1:
            continue
        made = Turning(sizes, count, base, counted, offsets[0], grids, order)
        if abs(np.exp(1j * made.angles().reshape(waves.shape)) - waves).max() <= _CLOSE:
            return _said(made)
    return None


def _base(step: Any, count: int) -> float:
    """What the frequencies are powers of, with as few digits as it can have."""
    if count == 1:
        return 10000.0
    exact = (step[0] / step[-1]) ** (count / (count - 1))
    digits = 10 ** max(round(log10(exact)) - 2, 0) if exact > 1 else 1
    return float(round(exact / digits) * digits)


def _said(found: Turning) -> dict[str, Any]:
    square = len(found.sizes) == 2 and found.sizes[0] == found.sizes[1]
    said: dict[str, Any] = {"size": found.sizes[0] if square else found.sizes, "base": found.base}
    if found.grid is not None and found.grid != found.sizes:
        said["grid"] = found.grid[0] if square and len(set(found.grid)) == 1 else found.grid
    return {**said, "positions": found.counted, "offset": found.offset, "order": found.order}


def _laid(web: Web, node: Node, x: Ref, turned: dict[str, Any], pieces: list[Node], *, prefix: int) -> Node | None:
    numbers = {key: value for key, value in turned.items() if key != "axis"} | {"prefix": prefix}
    shape, scope = node.shape, common(node, *pieces)
    behind = turned["axis"] == len(shape) - 4
    """Whether the heads are the axis behind the tokens."""
    heads = shape[-2] if behind else shape[-3] if len(shape) > 3 else 1

    def step(end: str, target: str, arguments: dict[str, Any], made: tuple[int, ...]) -> Ref:
        inserted = Node(f"{node.name}.{end}", target, arguments, made, scope=scope)
        web.insert(inserted, before=node.name)
        return Ref(inserted.name)

    if behind:
        *before, n, h, d = shape
        flat = (*before, n, h * d)
        laid = web.made(x, "reshape")
        tokens = laid.arguments["self"] if laid is not None and web.shape(laid.arguments["self"]) == flat else None
        tokens = tokens or step("q", "reshape", {"self": x}, flat)
    elif heads == 1 and len(shape) == 3:
        return replace(node, target="rope", arguments={"self": x, "rope": numbers}, scope=scope)
    else:
        *before, h, n, d = shape
        flat = (*before, n, h * d)
        found = side_by_side(web, node, x, "q")
        if found is None:
            return None
        tokens = found
    done = step("rope", "rope", {"self": tokens, "rope": {"heads": heads, **numbers}}, flat)
    if behind:
        return replace(node, target="same", arguments={"self": step("heads", "reshape", {"self": done}, shape)})
    apart = step("heads", "reshape", {"self": done}, (*before, n, h, d))
    lead = len(before) - 1
    axes = (*range(lead), lead + 1, lead, lead + 2)
    return replace(node, target="permute", arguments={"self": apart, "axes": axes}, scope=scope)
