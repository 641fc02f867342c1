"""Puts layers into the web that give biases by relative position, or rows of a table by distance along axes."""

from __future__ import annotations

from typing import Any

from cnndsl.importing.patterns.attending.rel_pos import Along, Picked
from cnndsl.importing.trace import Node, Ref
from cnndsl.importing.web import Web


def insert_along(web: Web, found: Along, table: Ref, node: Node, name: str) -> Ref:
    """For each pair of positions along two axes, of which one may be coarser, the row of a table for their distance."""
    batch, (asking, answering), width = web.trace.batch, found.pairs, web.shape(found.table)[1]
    every, stride = max(asking // answering, 1), max(answering // asking, 1)
    most = max(asking, answering)
    arguments = {
        "self": table,
        "size": (most, 1),
        "index": "swin",
        "stride": stride,
        "weight": None,
        "flat": False,
        "token": False,
    }

    def step(end: str, target: str, arguments: dict[str, Any], shape: tuple[int, ...]) -> Ref:
        made = Node(f"{name}.{end}" if end else name, target, arguments, (batch, *shape), scope=node.scope)
        web.insert(made, before=node.name)
        return Ref(made.name)

    here = step("picked", "rel_pos_index", arguments, (width, asking, most))
    if every > 1:
        here = step("each", "reshape", {"self": here}, (width, asking, answering, every))
        last = {"self": here, "axis": 3, "start": every - 1, "stop": every, "step": 1}
        here = step("last", "slice", last, (width, asking, answering, 1))
        here = step("one", "reshape", {"self": here}, (width, asking, answering))
    return step("", "permute", {"self": here, "axes": (1, 2, 0)}, (asking, answering, width))


def insert_picked(web: Web, found: Picked, source: Ref, node: Node, name: str) -> Ref:
    """Biases by relative position: of a trained table, where `source` is any tensor that has the batch, or of `source` as the table."""
    shape = (web.trace.batch, found.heads, *found.pairs)
    arguments: dict[str, Any] = {"size": found.size, "index": found.index, "stride": found.stride, "token": found.token}
    if found.table.name in web.trace.weights and found.places is None:
        arguments |= {"self": source, "weight": found.table, "heads": found.heads}
        web.insert(Node(name, "rel_pos", arguments, shape, scope=node.scope), before=node.name)
        return Ref(name)
    arguments |= {"self": source, "weight": found.places, "flat": found.flat}
    web.insert(Node(name, "rel_pos_index", arguments, shape, scope=node.scope), before=node.name)
    return Ref(name)
