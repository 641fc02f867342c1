"""Heads that are an axis of their own, side by side in the channels of tokens."""

from __future__ import annotations

from math import prod
from typing import Any

from cnndsl.importing.patterns.attending.channels import channels_of
from cnndsl.importing.patterns.attending.layout import MOST_ELEMENTS, moved
from cnndsl.importing.trace import Node, Ref
from cnndsl.importing.web import Web

_HEADS_AXES = 4
"""The axes of a batch of heads of tokens."""


def side_by_side(web: Web, node: Node, x: Ref, name: str) -> Ref | None:
    """Tokens with all heads in their channels: those that the heads were taken from, where they lie so, or new ones. None
    where the channels are on an axis from which they cannot be brought there."""
    rank = len(node.shape) - 1
    channels = channels_of(web, x)
    if rank == 2:
        return x if channels == 1 else None
    *before, h, n, d = web.shape(x)
    found = tokens_of(web, x)
    if found is not None:
        source, start = found
        if start is None:
            return source
        return added(web, node, name, "slice", {"self": source, "axis": len(before), "start": start, "stop": start + h * d, "step": 1},
                      (*before, n, h * d))  # fmt: skip
    mapped = _map(web, x)
    if mapped is not None:
        return added(web, node, f"{name}.tokens", "to_tokens", {"self": mapped}, (*before, n, h * d))
    lead = len(before) - 1
    first = tuple(range(lead))
    if channels == rank - 1:
        turned = added(
            web,
            node,
            f"{name}.turned",
            "permute",
            {"self": x, "axes": (*first, lead + 1, lead, lead + 2)},
            (*before, n, h, d),
        )
        return added(web, node, name, "reshape", {"self": turned}, (*before, n, h * d))
    if lead or channels != 0:
        return None
    # The channels come first: they are made one axis there, and then go behind the tokens.
    turned = added(web, node, f"{name}.turned", "permute", {"self": x, "axes": (0, 2, 1)}, (*before, h, d, n))
    flat = added(web, node, f"{name}.apart", "reshape", {"self": turned}, (*before, h * d, n))
    return added(web, node, name, "permute", {"self": flat, "axes": (1, 0)}, (*before, n, h * d))


def tokens_of(web: Web, x: Ref) -> tuple[Ref, int | None] | None:
    """The tokens of which these heads are the channels from a number on; None for the number where they are all."""
    import numpy as np

    *before, h, n, d = web.shape(x)[1:]
    way: list[Node] = []
    here = x
    found = None
    while (made := web.made(here, "reshape", "permute", "slice")) is not None and len(way) < 10:
        way.append(made)
        here = made.arguments["self"]
        shape = web.shape(here)[1:]
        if prod(shape) > MOST_ELEMENTS or len(shape) != len(before) + 2 or shape[:-1] != (*before, n):
            continue
        places = np.arange(prod(shape), dtype=np.int32)
        wanted = np.moveaxis(places.reshape(shape), -1, 0)
        for step in reversed(way):
            places = moved(web, step, places)
        start = int(places.reshape(-1)[0])
        if start + h * d > shape[-1]:
            continue
        wanted = places_of(shape, before, h, n, d, start)
        if (places.reshape(wanted.shape) == wanted).all():
            found = (here, None if (start, h * d) == (0, shape[-1]) else start)
    return found


def _map(web: Web, x: Ref) -> Ref | None:
    """The map whose positions are the tokens of these heads, which are its channels in order."""
    import numpy as np

    shape = web.shape(x)
    if len(shape) != _HEADS_AXES:
        return None
    _, h, n, d = shape
    way: list[Node] = []
    here: Ref = x
    while (made := web.made(here, "reshape", "permute")) is not None and len(way) < 4:
        way.append(made)
        here = made.arguments["self"]
        channels, *size = web.shape(here)[1:]
        if channels != h * d or not 2 <= len(size) <= 3 or prod(size) != n or channels * n > MOST_ELEMENTS:
            continue
        places = np.arange(channels * n, dtype=np.int32)
        wanted = np.moveaxis(places.reshape(h, d, n), 1, 2)
        for step in reversed(way):
            places = moved(web, step, places)
        if (places.reshape(wanted.shape) == wanted).all():
            return here
    return None


def places_of(shape: tuple[int, ...], before: list[int], h: int, n: int, d: int, start: int) -> Any:
    """Where the numbers of heads are in tokens of this shape whose channels from `start` on they are."""
    import numpy as np

    whole = np.arange(prod(shape), dtype=np.int32).reshape(shape)[..., start : start + h * d]
    return np.moveaxis(whole.reshape(*before, n, h, d), -2, -3)


def misplaced(web: Web, x: Ref) -> bool:
    """Whether the channels are on an axis from which they cannot be brought behind the tokens."""
    rank, channels = len(web.shape(x)) - 1, channels_of(web, x)
    return channels != rank - 1 and (rank != 3 or channels != 0) and tokens_of(web, x) is None


def added(web: Web, node: Node, name: str, target: str, arguments: dict[str, Any], shape: tuple[int, ...]) -> Ref:
    made = Node(f"{node.name}.{name}", target, arguments, shape, scope=node.scope)
    web.insert(made, before=node.name)
    return Ref(made.name)
