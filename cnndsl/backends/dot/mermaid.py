"""Diagram → Mermaid, which GitHub, GitLab and most Markdown viewers draw by themselves."""

from __future__ import annotations

import re
from collections.abc import Iterator

from cnndsl.backends.dot.caption import called, essentials, word
from cnndsl.backends.dot.diagram import Box, Cell, Cluster, Diagram, Folded, Item, Port
from cnndsl.backends.dot.emit import Direction
from cnndsl.backends.dot.escape import visible
from cnndsl.backends.dot.figures import Figures, leaving
from cnndsl.backends.dot.palette import LIGHT, Palette
from cnndsl.backends.dot.structure import diagram
from cnndsl.ir.graph import Graph


def to_mermaid(
    graph: Graph,
    *,
    depth: int | None = None,
    expand: bool = False,
    direction: Direction = "TB",
    show_shapes: bool = True,
    show_costs: bool = True,
    palette: Palette = LIGHT,
) -> str:
    """The picture of a graph as a Mermaid flowchart; arguments as for `to_dot`. Skips are dotted."""
    writer = _Writer(diagram(graph, depth=depth, expand=expand), show_shapes, show_costs)
    return "\n".join([f"flowchart {direction}", *writer.lines(), *_classes(palette)]) + "\n"


class _Writer:
    def __init__(self, picture: Diagram, shapes: bool, costs: bool) -> None:
        self._picture = picture
        self._figures = Figures(picture.graph)
        self._shapes = shapes
        self._costs = costs
        # Names of a program never become Mermaid's ids: there, words such as `end` mean something.
        self._ids = {port.key: f"in{index}" for index, port in enumerate(picture.inputs)}
        self._ids |= {box.key: f"n{index}" for index, box in enumerate(picture.boxes())}
        self._ids |= {port.key: f"out{index}" for index, port in enumerate(picture.outputs)}
        self._clusters = 0

    def lines(self) -> Iterator[str]:
        for port in (*self._picture.inputs, *self._picture.outputs):
            yield f'  {self._ids[port.key]}("{_text(self._port(port))}"):::port'
        for item in self._picture.items:
            yield from self._item(item, "  ")
        for edge in self._picture.edges:
            label = f'|"{_text(edge.label)}"|' if edge.label and self._shapes else ""
            yield f"  {self._ids[edge.tail]} {'-.->' if edge.skip else '-->'}{label} {self._ids[edge.head]}"

    def _item(self, item: Item, pad: str) -> Iterator[str]:
        if isinstance(item, Cluster):
            self._clusters += 1
            yield f'{pad}subgraph c{self._clusters}["{_text(_heading(item)) or " "}"]'
            for child in item.children:
                yield from self._item(child, pad + "  ")
            yield f"{pad}end"
        elif isinstance(item, Folded):
            shapes = f"→ {leaving(item)}" if self._shapes and item.leaving else ""
            cost = self._figures.cost(item.nodes, total=True) if self._costs else ""
            yield f'{pad}{self._ids[item.key]}["{_joined(_heading(item), shapes, cost)}"]:::folded'
        elif item.head.node.op.symbol and len(item.cells) == 1:
            op = item.head.node.op
            yield f'{pad}{self._ids[item.key]}(("{_text(op.symbol)}")):::{op.category}'
        else:
            yield f'{pad}{self._ids[item.key]}["{self._box(item)}"]:::{item.head.node.op.category}'

    def _box(self, box: Box) -> str:
        node, nodes = box.head.node, box.head.nodes
        ops = " → ".join(_layer(cell) for cell in box.cells) + (f" ×{box.times}" if box.times > 1 else "")
        cost = self._figures.cost(nodes) if self._costs else ""
        whose = f"weights of {node.weights_of}" if self._figures.borrows(node) else ""
        return _joined(ops, " · ".join(part for part in (box.label or called(nodes), cost, whose) if part))

    def _port(self, port: Port) -> str:
        return f"{port.title} {self._figures.type(port.node)}{' (training)' if port.training else ''}"


def _layer(cell: Cell) -> str:
    return f"{cell.node.op.symbol or word(cell.node)} {essentials(cell.node)}".strip()


def _heading(item: Cluster | Folded) -> str:
    times = f"×{item.times}" if item.times > 1 else ""
    return " ".join(part for part in (item.label, item.title, times, "(shared weights)" if item.shared else "") if part)


def _classes(palette: Palette) -> Iterator[str]:
    for category, (fill, line) in palette.fills.items():
        yield f"  classDef {category} fill:{fill},stroke:{line},color:{palette.text}"
    yield f"  classDef folded fill:{palette.depths[0]},stroke:{palette.badge},color:{palette.text}"
    yield f"  classDef port fill:{palette.port},stroke:{palette.port},color:{palette.port_text}"


def _joined(*lines: str) -> str:
    return "<br/>".join(_text(line) for line in lines if line)


# A point stays inside a number or a name; before a space it would begin a Markdown list.
_UNSAFE = re.compile(r"(?!\.\w)[^\w ×→–·,‖/+]|_")


def _text(text: str) -> str:
    """Text inside quotation marks: all that Mermaid, Markdown or HTML could take for more is written as its number."""
    return _UNSAFE.sub(lambda match: f"#{ord(match[0])};", visible(text))
