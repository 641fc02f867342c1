"""A table picked from by where positions lie from each other: `RelPos`, and `RelPosIndex` where the places are saved or the
table is computed."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import Any

from cnndsl.importing.patterns.attending.layout import MOST_ELEMENTS
from cnndsl.importing.patterns.attending.parts import factors
from cnndsl.importing.trace import Node, Ref
from cnndsl.importing.web import Web
from cnndsl.ir.shared.offsets import Layout, offsets


@dataclass(frozen=True)
class Picked:
    """A tensor of heads×asking×answering numbers out of a table: what of it a layer must know."""

    table: Ref
    heads: int
    pairs: tuple[int, int]
    size: int | tuple[int, ...]
    index: Layout
    stride: int
    places: Ref | None
    """The weight that holds the places in the table, where a checkpoint has them."""
    flat: bool
    """Whether those lie on one axis."""


def relative_positions(web: Web, ref: Ref) -> Picked | None:
    """How a tensor is heads×N×M numbers of a table as a layer picks them; None where it is not."""
    import numpy as np

    way: list[Node] = []
    here = ref
    while (node := web.made(here, "reshape", "permute", "index")) is not None:
        way.append(node)
        here = next(node.refs())
        if node.target == "index" and len(web.shape(here)) == 2:
            break
    table = web.shape(here)
    if not any(node.target == "index" for node in way) or not web.still(here):
        return None
    if len(table) != 2 or prod(web.shape(ref)) > MOST_ELEMENTS:
        return None
    places: Any = np.arange(prod(table)).reshape(table)
    saved: list[Ref] = []
    for node in reversed(way):
        if node.target == "permute":
            places = places.transpose(node.arguments["axes"])
        elif node.target == "reshape":
            places = places.reshape(node.shape)
        else:
            index = tuple(slice(None) if item is None else _numbers(web, item) for item in node.arguments["indices"])
            if any(item is None for item in index):
                return None
            saved += [held for item in node.arguments["indices"] if (held := web.weight_ref(item)) is not None]
            places = places[index]
    shape = [n for n in places.shape if n != 1] if places.ndim > 3 else list(places.shape)
    if len(shape) != 3 or len(saved) > 1:
        return None
    found = _layout(table, (shape[0], shape[1], shape[2]), places)
    if found is None:
        return None
    size, layout, stride = found
    flat = bool(saved) and len(web.shape(saved[0])) == 1
    where = saved[0] if saved else None
    if where is not None and web.shape(where) != offsets(size, layout, stride, flat=flat).shape:
        return None
    return Picked(here, shape[0], (shape[1], shape[2]), size, layout, stride, where, flat)


def _numbers(web: Web, index: Ref) -> Any:
    """The numbers of an index, which may be a tensor that checkpoints hold."""
    found = web.constant(index)
    held = web.weight_ref(index)
    if found is None and held is not None and not web.trace.weights[held.name].trained:
        array = web.trace.array(web.trace.weights[held.name].name)
        found = None if array is None else array.reshape(web.shape(index))
    return found


def _layout(
    table: tuple[int, ...], shape: tuple[int, int, int], places: Any
) -> tuple[int | tuple[int, ...], Layout, int] | None:
    """The map, the layout of the table and the stride for which these are the places."""
    import numpy as np

    heads, asking, answering = shape
    for sizes in (*factors(answering, 2), *factors(answering, 3)):
        forms: tuple[tuple[Layout, int], ...] = (
            ("swin", prod(2 * n - 1 for n in sizes)),
            *((("levit", answering),) if len(sizes) == 2 else ()),
        )
        for layout, rows in forms:
            wanted = (rows, heads) if layout == "swin" else (heads, rows)
            for stride in (1, 2):
                if table != wanted or prod(-(-n // stride) for n in sizes) != asking:
                    continue
                size: int | tuple[int, ...] = sizes[0] if len(sizes) == 2 and len(set(sizes)) == 1 else sizes
                picked = offsets(size, layout, stride, flat=True)(np)
                each = np.arange(heads)[:, None]
                expected = picked * heads + each if layout == "swin" else each * rows + picked
                if (places.reshape(heads, -1) == expected).all():
                    return size, layout, stride
    return None


@dataclass(frozen=True)
class Along:
    """Rows of a table by how far an answering position lies from an asking one along one axis: asking×answering×columns."""

    table: Ref
    pairs: tuple[int, int]


def along_axes(web: Web, ref: Ref) -> Along | None:
    """How a tensor is rows of a table by distance along an axis; None where it is not. Of two axes the finer one counts in
    steps of the coarser."""
    import numpy as np

    node = web.made(ref, "index")
    if node is None or len(node.shape) != 3:
        return None
    table, indices = node.arguments["self"], node.arguments["indices"]
    index = _numbers(web, indices[0]) if len(indices) == 1 and indices[0] is not None else None
    if index is None or index.ndim != 2 or len(web.shape(table)) != 2 or not web.still(table):
        return None
    asking, answering = index.shape
    most, least = max(index.shape), min(index.shape)
    if most % least or web.shape(table)[0] != 2 * most - 1:
        return None
    down, right = most // asking, most // answering
    wanted = np.arange(asking)[:, None] * down - np.arange(answering) * right + (answering - 1) * right
    return Along(table, (asking, answering)) if (index == wanted).all() else None
