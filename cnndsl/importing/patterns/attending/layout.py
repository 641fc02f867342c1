"""Changes of layout that follow each other: two turns are one, and a way there and back is none."""

from __future__ import annotations

from dataclasses import replace
from math import prod
from typing import Any

from cnndsl.importing.trace import Node
from cnndsl.importing.web import Web, common

TARGETS = ("permute", "reshape")
MOST_ELEMENTS = 2**23
MADE = (".heads", ".turned", ".q", ".k", ".v", ".keys", ".apart")
"""How operations are called that patterns have made."""


def rewrite(web: Web, node: Node) -> Node | None:
    """The tensor that was there before, or one turn for two."""
    if web.still(web.ref(node)):
        return None
    way = [node]
    while (before := web.made(way[-1].arguments["self"], *TARGETS)) is not None and len(way) < 8:
        way.append(before)
    if not any(step.name.endswith(MADE) for step in way):
        # What the code says by itself stays as it is.
        return None
    if prod(node.shape[1:]) <= MOST_ELEMENTS:
        for length in range(len(way), 0, -1):
            x = way[length - 1].arguments["self"]
            if web.shape(x) == node.shape and _stays(web, way[:length]):
                return replace(node, target="same", arguments={"self": x}, scope=common(*way[:length]))
            if (shape := _as_map(web.shape(x), node.shape)) and _stays(web, way[:length], turned=True):
                _, h, w = shape
                arguments = {"self": x, "h": h, "w": w}
                return replace(node, target="to_map", arguments=arguments, scope=common(*way[:length]))
    if node.target == "permute" and len(way) > 1 and way[1].target == "permute":
        first, second = way[1].arguments["axes"], node.arguments["axes"]
        axes = tuple(first[n] for n in second)
        return replace(node, arguments={"self": way[1].arguments["self"], "axes": axes}, scope=common(node, way[1]))
    return None


def _as_map(tokens: tuple[int, ...], shape: tuple[int, ...]) -> tuple[int, ...] | None:
    """The map's shape, if these are tokens and a map of as many positions and channels."""
    fits = len(tokens) == 3 and len(shape) == 4 and (shape[2] * shape[3], shape[1]) == tokens[1:]
    return shape[1:] if fits else None


def _stays(web: Web, way: list[Node], turned: bool = False) -> bool:
    """Whether each number is at the end where it was, or where it is with the last axis first, found out by moving places."""
    import numpy as np

    start = places = np.arange(prod(way[0].shape[1:]), dtype=np.int32)
    if turned:
        start = np.moveaxis(start.reshape(web.shape(way[-1].arguments["self"])[1:]), -1, 0).reshape(-1)
    for node in reversed(way):
        places = moved(web, node, places)
    return bool((places.reshape(-1) == start).all())


def moved(web: Web, node: Node, places: Any) -> Any:
    """An array without batch after a change of layout."""
    places = places.reshape(web.shape(node.arguments["self"])[1:])
    if node.target == "permute":
        return places.transpose(node.arguments["axes"])
    if node.target == "slice":
        given = node.arguments
        cut = (*(slice(None),) * given["axis"], slice(given["start"], given["stop"], given["step"]))
        return places[cut]
    return places.reshape(node.shape[1:])
