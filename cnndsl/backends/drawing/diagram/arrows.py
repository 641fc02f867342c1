"""Who hands what to whom: the arrows of a diagram, their shapes, and which of them are skips."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace

from cnndsl.backends.drawing.diagram.caption import shape
from cnndsl.backends.drawing.diagram.diagram import Box, Edge, Folded, Item, Port, leaves
from cnndsl.ir.graph import Graph


def arrows(
    graph: Graph, inputs: tuple[Port, ...], items: tuple[Item, ...], outputs: tuple[Port, ...], drawn: list[int]
) -> tuple[Edge, ...]:
    """Every arrow between different boxes, in the order in which they are read.

    Where rounds are drawn once, the arrows that enter are those of the first round and the arrows that leave those of the
    last. The way from round to round has no arrow: the badge `×3` stands for it.
    """
    boxes = list(leaves(items))
    owner = {port.node: port.key for port in inputs}
    owner |= {name: box.key for box in boxes for name in _names(box)}
    folded = {box.key for box in boxes if isinstance(box, Folded)}
    edges: list[Edge] = []
    seen: set[tuple[str, str, str]] = set()
    for index, node in enumerate(graph.nodes):
        if drawn[index] != index:
            continue
        head = owner[node.name]
        for name in node.reads:
            tail = owner[name]
            mark = (tail, head, name)
            if tail != head and not (head in folded and mark in seen):
                seen.add(mark)
                edges.append(Edge(tail, head, name))
    edges += [Edge(owner[port.node], port.key, port.node) for port in outputs]
    order = {
        key: rank
        for rank, key in enumerate([*(p.key for p in inputs), *(b.key for b in boxes), *(p.key for p in outputs)])
    }
    light = {
        box.key for box in boxes if isinstance(box, Box) and all(c.node.op.category in _CARRIES for c in box.cells)
    }
    skips = _skips(edges, order, light)
    edges = [replace(edge, skip=edge in skips) for edge in edges]
    return _labelled(graph, edges, {box.key: box for box in boxes})


def _names(box: Box | Folded) -> list[str]:
    cells = [box.nodes] if isinstance(box, Folded) else [cell.nodes for cell in box.cells]
    return [node.name for nodes in cells for node in nodes]


_CARRIES = ("shape", "regularization")
"""Categories of ops that a skip may pass through: they cut a tensor to size or drop some of it, and compute nothing new."""


def _skips(edges: list[Edge], order: dict[str, int], light: set[str]) -> set[Edge]:
    """The arrows that go around something: to the box where they end, another way leads through other boxes.

    Where the box at an arrow's end only cuts the tensor to size, as in U-Net, the box behind it counts as the end.
    """
    before: dict[str, list[str]] = defaultdict(list)
    after: dict[str, list[str]] = defaultdict(list)
    for edge in edges:
        before[edge.head].append(edge.tail)
        after[edge.tail].append(edge.head)
    skips = set()
    for edge in edges:
        if len(after[edge.tail]) < 2:
            continue
        via, end = edge.tail, edge.head
        while end in light and len(before[end]) == 1 and len(after[end]) == 1:
            via, end = end, after[end][0]
        if len(before[end]) > 1 and _reaches(edge.tail, via, end, before, order):
            skips.add(edge)
    return skips


def _reaches(start: str, via: str, end: str, before: dict[str, list[str]], order: dict[str, int]) -> bool:
    """Whether a way of two steps or more leads from `start` to `end`. Its last step must not come from the box `via`."""
    todo = [key for key in before[end] if key not in (start, via)]
    seen = set(todo)
    while todo:
        for key in before[todo.pop()]:
            if key == start:
                return True
            if key not in seen and order[key] > order[start]:
                seen.add(key)
                todo.append(key)
    return False


def _labelled(graph: Graph, edges: list[Edge], boxes: dict[str, Box | Folded]) -> tuple[Edge, ...]:
    """The arrows, with a shape on the first plain arrow of every tensor whose shape its box has changed."""
    by_tensor: dict[tuple[str, str], list[int]] = defaultdict(list)
    for index, edge in enumerate(edges):
        by_tensor[edge.tail, edge.tensor].append(index)
    result = list(edges)
    for (tail, tensor), indices in by_tensor.items():
        box = boxes.get(tail)
        if not isinstance(box, Box) or not _changes(graph, box):
            continue
        last = box.cells[-1].nodes
        # Inside a run the first round stands for all; outside, it is the last round's tensor that is read.
        types = [n.type for n in last] if tensor == last[0].name else [graph.types[tensor]]
        chosen = next((i for i in indices if not edges[i].skip), indices[0])
        result[chosen] = replace(edges[chosen], label=shape(types))
    return tuple(_as_part(graph, edge, boxes.get(edge.head)) for edge in result)


def _as_part(graph: Graph, edge: Edge, head: Box | Folded | None) -> Edge:
    """The arrow, with its shape where it is merged into a tensor of another shape, as the parts of a `cat` are."""
    if edge.label or edge.skip or not isinstance(head, Box) or len(head.cells[0].node.inputs) < 2:
        return edge
    type = graph.types[edge.tensor]
    return edge if str(type) == str(head.cells[0].node.type) else replace(edge, label=str(type))


def _changes(graph: Graph, box: Box) -> bool:
    first, last = box.cells[0].node, box.cells[-1].node
    return any(x.shape != last.type.shape or x.channel_axis != last.type.channel_axis for x in graph.input_types(first))
