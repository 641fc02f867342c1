"""A network as one row of boxes: the main trunk, with branches closed and what goes around boxes as skips."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from cnndsl.analyses.needed import needed
from cnndsl.backends.drawing.diagram.caption import word
from cnndsl.backends.drawing.diagram.diagram import Box, Cluster, Diagram, Folded, Item, Port
from cnndsl.backends.drawing.diagram.structure import diagram
from cnndsl.diagnostics.errors import CnnError, fault
from cnndsl.ir.graph import Graph

MOST = 26
"""Boxes in a row that a page has room for."""


@dataclass(frozen=True)
class Trunk:
    """The input, and boxes each of which reads the box before it.

    `skips` are pairs of places, 0 for the input. `hands` has the tensor that each box hands on, by the box's key.
    `beside` names the outputs that are not drawn, with what leads to them alone: heads of training, and where the
    whole network is no row, all outputs but the first.
    """

    input: Port
    boxes: tuple[Box | Folded, ...]
    skips: tuple[tuple[int, int], ...]
    hands: Mapping[str, str]
    beside: tuple[str, ...] = ()


def trunk(graph: Graph, depth: int | None = None) -> Trunk:
    """The row of boxes with `depth` levels of blocks open; without a depth, the most open one that has room on a page.

    What only training has is left out. Raises CnnError (`not-a-row`) where boxes stand side by side at that depth,
    with the depths at which they do not.
    """
    if depth is not None:
        row = _row(graph, depth)
        if isinstance(row, Trunk):
            return row
        raise _branching(graph, f"at depth {depth} ", row)
    rows = [row for level in range(_levels(graph), 0, -1) if isinstance(row := _row(graph, level), Trunk)]
    if not rows:
        reason = _row(graph, 1)
        assert isinstance(reason, str)
        raise _branching(graph, "", reason)
    return next((row for row in rows if len(row.boxes) <= MOST), min(rows, key=lambda row: len(row.boxes)))


def _levels(graph: Graph) -> int:
    """The depth at which everything is open."""

    def below(items: tuple[Item, ...]) -> int:
        return max((1 + below(item.children) for item in items if isinstance(item, Cluster)), default=0)

    return below(diagram(graph, expand=True).items) + 1


def _row(graph: Graph, depth: int) -> Trunk | str:
    """The row, or why there is none."""
    picture = diagram(graph, depth=depth)
    if any(_repeats(item) for item in picture.items):
        # A row cannot show that several boxes are repeated together: it shows every round.
        picture = diagram(graph, depth=depth, expand=True)
    row = _drawn(picture, {node.name for node in needed(graph)}, lambda port: not port.training)
    outputs = [port for port in picture.outputs if not port.training]
    if isinstance(row, str) and len(outputs) > 1:
        # Heads on the way may be left out, where the rest is a row; a figure says that it does.
        main = _drawn(picture, _leading(graph, outputs[0].node), lambda port: port is outputs[0])
        return row if isinstance(main, str) else main
    return row


def _leading(graph: Graph, name: str) -> set[str]:
    """The nodes that a tensor is computed from, its own included."""
    wanted = {name}
    for node in reversed(graph.nodes):
        if node.name in wanted:
            wanted.update(node.inputs)
    return wanted


def _drawn(picture: Diagram, used: set[str], leaves: Callable[[Port], bool]) -> Trunk | str:
    """The row of those boxes that hold something used, and of the outputs that leave it; or why there is none."""
    boxes = [box for box in picture.boxes() if any(name in used for name in _names(box))]
    keys = {box.key for box in boxes}
    inputs = [port for port in picture.inputs if any(e.tail == port.key and e.head in keys for e in picture.edges)]
    if len(inputs) != 1:
        return f"it has {len(inputs)} inputs"
    outputs = [port for port in picture.outputs if leaves(port)]
    return _checked(picture, inputs[0], boxes, outputs)


def _checked(picture: Diagram, start: Port, boxes: list[Box | Folded], outputs: list[Port]) -> Trunk | str:
    place = {start.key: 0} | {box.key: number for number, box in enumerate(boxes, 1)}
    pairs = {(place[e.tail], place[e.head]) for e in picture.edges if e.tail in place and e.head in place}
    for number, box in enumerate(boxes, 1):
        if (number - 1, number) not in pairs:
            return f"{_named(box)} stands beside {_named(boxes[number - 2]) if number > 1 else start.name}"
    last = boxes[-1].key if boxes else start.key
    for port in outputs:
        tails = [edge.tail for edge in picture.edges if edge.head == port.key]
        if tails != [last]:
            return f"the output {port.title} leaves on the way"
    leaving = {port.key for port in outputs}
    hands: dict[str, str] = {}
    for edge in picture.edges:
        used = edge.tail in place and (edge.head in place or edge.head in leaving)
        if used and hands.setdefault(edge.tail, edge.tensor) != edge.tensor:
            return f"{_named(boxes[place[edge.tail] - 1])} hands on several tensors"
    skips = sorted((tail, head) for tail, head in pairs if head - tail > 1)
    beside = tuple(port.title for port in picture.outputs if port not in outputs)
    return Trunk(start, tuple(boxes), tuple(skips), hands, beside)


def _repeats(item: Item) -> bool:
    return isinstance(item, Cluster) and (item.times > 1 or any(map(_repeats, item.children)))


def _names(box: Box | Folded) -> list[str]:
    cells = [box.nodes] if isinstance(box, Folded) else [cell.nodes for cell in box.cells]
    return [node.name for nodes in cells for node in nodes]


def _named(box: Box | Folded) -> str:
    if isinstance(box, Folded):
        return box.label or box.title or box.nodes[0].name
    node = box.head.node
    return f"layer {node.name} ({word(node)})" if node.name.rpartition(".")[2].isdigit() else node.name


def _branching(graph: Graph, when: str, reason: str) -> CnnError:
    fine = [level for level in range(1, _levels(graph) + 1) if isinstance(_row(graph, level), Trunk)]
    return fault(
        "not-a-row",
        f"{graph.name} {when}is not one row of feature maps: {reason}",
        notes=("expected boxes that each read the one before",),
        help=f"draw it with `--depth {fine[-1]}`" if fine else "draw it as a diagram, without `--style volumes`",
    )
