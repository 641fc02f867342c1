"""A tensor whose numbers are all taken from one table: from which table, and from which of its places."""

from __future__ import annotations

from collections.abc import Iterator
from math import prod
from typing import Any

from cnndsl.importing.patterns.attending.layout import MOST_ELEMENTS
from cnndsl.importing.trace import Node, Ref
from cnndsl.importing.web import Web

_CHOOSING = ("index", "unfold")
"""Operations that take a number several times; the others lay numbers out anew."""
_MOVING = ("reshape", "permute", "flip", "slice", "cat", "expand", *_CHOOSING)
_MOST_STEPS = 64


def tables(web: Web, ref: Ref) -> Iterator[tuple[Ref, Any]]:
    """Each table of two axes from which a tensor that does not depend on the input may be said to be taken, the nearest one
    first, and the places of the tensor's numbers in it, counted from 0. A batch, over which the table is spread, is an axis of
    one there."""
    if prod(_of_one_example(web, web.shape(ref))) > MOST_ELEMENTS:
        return
    for table in _behind(web, ref):
        places = _places(web, ref, table, {})
        if places is not None:
            yield table, places


def numbers_of(web: Web, index: Ref) -> Any:
    """The numbers of an index, which may be a tensor that checkpoints hold."""
    found = web.constant(index)
    held = web.weight_ref(index)
    if found is None and held is not None and not web.trace.weights[held.name].trained:
        array = web.trace.array(web.trace.weights[held.name].name)
        found = None if array is None else array.reshape(web.shape(index))
    return found


def _behind(web: Web, ref: Ref) -> Iterator[Ref]:
    """Tensors of two axes, behind at least one operation that chooses."""
    seen: dict[str, bool] = {}
    pending = [(ref, False)]
    while pending and len(seen) < _MOST_STEPS:
        here, chosen = pending.pop(0)
        if seen.get(here.name, False) >= chosen and here.name in seen:
            continue
        seen[here.name] = chosen
        if chosen and len(web.shape(here)) == 2 and web.still(here):
            yield here
        node = web.made(here, *_MOVING)
        if node is not None:
            pending += [(taken, chosen or node.target in _CHOOSING) for taken in _taken(node)]


def _taken(node: Node) -> list[Ref]:
    """What an operation takes numbers from; not what it chooses them by."""
    return list(node.arguments["tensors"]) if node.target == "cat" else [node.arguments["self"]]


def _of_one_example(web: Web, shape: tuple[int, ...]) -> tuple[int, ...]:
    """A shape of one example."""
    return (1, *shape[1:]) if shape[:1] == (web.trace.batch,) else shape


def _places(web: Web, ref: Ref, table: Ref, known: dict[str, Any]) -> Any:
    """Where in the table each number of a tensor is from; None where that is not known."""
    import numpy as np

    if ref == table:
        return np.arange(prod(web.shape(table))).reshape(web.shape(table))
    if ref.name in known:
        return known[ref.name]
    node = web.made(ref, *_MOVING)
    found = None
    if node is not None and prod(_of_one_example(web, node.shape)) <= MOST_ELEMENTS:
        parts = [_places(web, taken, table, known) for taken in _taken(node)]
        if all(part is not None for part in parts):
            found = _moved(web, node, parts)
    known[ref.name] = found
    return found


def _moved(web: Web, node: Node, parts: list[Any]) -> Any:
    import numpy as np

    given, places = node.arguments, parts[0]
    taken = web.shape(_taken(node)[0])
    match node.target:
        case "permute":
            return places.transpose(given["axes"])
        case "reshape":
            shape = _of_one_example(web, node.shape)
            same = shape != node.shape
            return places.reshape(shape) if same == (_of_one_example(web, taken) != taken) else None
        case "expand":
            shape = _of_one_example(web, node.shape)
            spread = (1,) * (len(shape) - places.ndim) + places.shape
            return np.broadcast_to(places.reshape(spread), shape)
        case "flip":
            return np.flip(places, given["dims"])
        case "cat":
            return np.concatenate(parts, given["axis"])
        case "slice":
            cut = slice(given["start"], given["stop"], given["step"])
            return places[(*(slice(None),) * given["axis"], cut)]
        case "unfold":
            windows = np.lib.stride_tricks.sliding_window_view(places, given["size"], given["dimension"])
            axis = given["dimension"] % places.ndim
            return windows[(*(slice(None),) * axis, slice(None, None, given["step"]))]
    index = tuple(slice(None) if item is None else numbers_of(web, item) for item in given["indices"])
    return None if any(item is None for item in index) else places[index]


def saved_places(web: Web, ref: Ref, table: Ref) -> list[Ref]:
    """The weights by which numbers are chosen on the way to a table."""
    found: dict[Ref, None] = {}
    pending = [ref]
    seen: set[str] = set()
    while pending:
        here = pending.pop()
        node = web.made(here, *_MOVING) if here != table and here.name not in seen else None
        seen.add(here.name)
        if node is None:
            continue
        found |= {held: None for item in node.arguments.get("indices", ()) if (held := web.weight_ref(item))}
        pending += _taken(node)
    return list(found)
