"""A trained table picked from by where positions lie from each other: `RelPos`."""

from __future__ import annotations

from math import prod
from typing import Any, Literal

from cnndsl.importing.patterns.attending.layout import MOST_ELEMENTS
from cnndsl.importing.trace import Node, Ref
from cnndsl.importing.web import Web
from cnndsl.ir.shared.offsets import offsets
from cnndsl.ops.rel_pos import RelPos


def relative_positions(web: Web, ref: Ref) -> tuple[Ref, RelPos] | None:
    """The table's weight and the layer, where a tensor is heads×N×M numbers of the table as the layer picks them."""
    import numpy as np

    way: list[Node] = []
    here = ref
    while (node := web.made(here, "reshape", "permute", "index")) is not None:
        way.append(node)
        here = next(node.refs())
    if here.name not in web.trace.weights or not any(node.target == "index" for node in way):
        return None
    table = web.shape(here)
    if len(table) != 2 or prod(web.shape(ref)) > MOST_ELEMENTS:
        return None
    places: Any = np.arange(prod(table)).reshape(table)
    for node in reversed(way):
        if node.target == "permute":
            places = places.transpose(node.arguments["axes"])
        elif node.target == "reshape":
            places = places.reshape(node.shape)
        else:
            index = tuple(slice(None) if item is None else web.constant(item) for item in node.arguments["indices"])
            if any(item is None for item in index):
                return None
            places = places[index]
    shape = [n for n in places.shape if n != 1] if places.ndim > 3 else list(places.shape)
    if len(shape) != 3:
        return None
    heads, asking, answering = shape
    for height in range(1, answering + 1):
        width = answering // height
        if height * width != answering:
            continue
        forms: tuple[tuple[Literal["swin", "levit"], int], ...] = (
            ("swin", (2 * height - 1) * (2 * width - 1)),
            ("levit", answering),
        )
        for index_, rows in forms:
            wanted = (rows, heads) if index_ == "swin" else (heads, rows)
            for stride in (1, 2):
                if table != wanted or -(-height // stride) * -(-width // stride) != asking:
                    continue
                op = RelPos(
                    heads=heads, size=(height, width) if height != width else height, index=index_, stride=stride
                )
                picked = offsets(op.size, index_, stride, flat=True)(np)
                each = np.arange(heads)[:, None]
                expected = picked * heads + each if index_ == "swin" else each * rows + picked
                if (places.reshape(heads, -1) == expected).all():
                    return here, op
    return None
