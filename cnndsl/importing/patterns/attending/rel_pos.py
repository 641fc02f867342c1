"""A table picked from by where positions lie from each other: `RelPos`, and `RelPosIndex` where the places are saved or the
table is computed."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import Any

from cnndsl.importing.patterns.attending.parts import factors
from cnndsl.importing.patterns.attending.picking import numbers_of, saved_places, tables
from cnndsl.importing.trace import Ref
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
    token: bool
    """Whether a class token stands before the positions."""


def relative_positions(web: Web, ref: Ref) -> Picked | None:
    """How a tensor is heads×N×M numbers of a table as a layer picks them; None where it is not."""
    for table, places in tables(web, ref):
        shape = [n for n in places.shape if n != 1] if places.ndim > 3 else list(places.shape)
        if len(shape) != 3:
            shape = list(places.shape[-3:])
        if len(shape) != 3 or prod(shape) != places.size:
            continue
        found = _layout(web.shape(table), (shape[0], shape[1], shape[2]), places)
        saved = saved_places(web, ref, table)
        if found is None or len(saved) > 1:
            continue
        size, layout, stride, token = found
        flat = bool(saved) and len(web.shape(saved[0])) == 1
        where = saved[0] if saved else None
        if where is None or web.shape(where) == offsets(size, layout, stride, flat=flat, token=token).shape:
            return Picked(table, shape[0], (shape[1], shape[2]), size, layout, stride, where, flat, token)
    return None


def _layout(
    table: tuple[int, ...], shape: tuple[int, int, int], places: Any
) -> tuple[int | tuple[int, ...], Layout, int, bool] | None:
    """The map, the layout of the table and the stride for which these are the places, and whether a class token stands before
    the positions."""
    import numpy as np

    heads, asking, answering = shape
    for token in (False, True):
        for sizes in (*factors(answering - token, 2), *factors(answering - token, 3)):
            forms: tuple[tuple[Layout, int], ...] = (
                ("swin", prod(2 * n - 1 for n in sizes)),
                *((("levit", answering),) if len(sizes) == 2 and not token else ()),
            )
            for layout, rows in forms:
                rows += 3 * token
                wanted = (rows, heads) if layout == "swin" else (heads, rows)
                for stride in (1,) if token else (1, 2):
                    if table != wanted or prod(-(-n // stride) for n in sizes) != asking - token:
                        continue
                    size: int | tuple[int, ...] = sizes[0] if len(sizes) == 2 and len(set(sizes)) == 1 else sizes
                    picked = offsets(size, layout, stride, flat=True, token=token)(np)
                    each = np.arange(heads)[:, None]
                    expected = picked * heads + each if layout == "swin" else each * rows + picked
                    if (places.reshape(heads, -1) == expected).all():
                        return size, layout, stride, token
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
    index = numbers_of(web, indices[0]) if len(indices) == 1 and indices[0] is not None else None
    if index is None or index.ndim != 2 or len(web.shape(table)) != 2 or not web.still(table):
        return None
    asking, answering = index.shape
    most, least = max(index.shape), min(index.shape)
    if most % least or web.shape(table)[0] != 2 * most - 1:
        return None
    down, right = most // asking, most // answering
    wanted = np.arange(asking)[:, None] * down - np.arange(answering) * right + (answering - 1) * right
    return Along(table, (asking, answering)) if (index == wanted).all() else None
