"""Diagram → Mermaid, which GitHub, GitLab and most Markdown viewers draw by themselves."""

from __future__ import annotations

import re
from collections.abc import Iterator

from cnndsl.backends.drawing.colours.heat import STEPS
from cnndsl.backends.drawing.colours.measure import TITLES, Heat, Measure, written
from cnndsl.backends.drawing.colours.palette import Palette
from cnndsl.backends.drawing.colours.theme import PALETTES, Theme
from cnndsl.backends.drawing.diagram.caption import KNOWN, called, essentials, sign
from cnndsl.backends.drawing.diagram.diagram import Box, Cell, Cluster, Diagram, Folded, Item, Port
from cnndsl.backends.drawing.diagram.structure import diagram
from cnndsl.backends.drawing.formats.graphviz import Direction
from cnndsl.backends.drawing.words.escape import visible
from cnndsl.backends.drawing.words.numbers import Numbers, leaving
from cnndsl.ir.graph import Graph


def to_mermaid(
    graph: Graph,
    *,
    depth: int | None = None,
    expand: bool = False,
    direction: Direction = "TB",
    show_shapes: bool = True,
    show_costs: bool = True,
    color: Measure | None = None,
    theme: Theme = "light",
) -> str:
    """The picture of a graph as a Mermaid flowchart; arguments as for `to_dot`, but that colours cannot follow the reader's
    theme. Skips are dotted."""
    picture = diagram(graph, depth=depth, expand=expand)
    heat = Heat(picture, color) if color else None
    writer = _Writer(picture, show_shapes, show_costs, heat)
    return "\n".join([f"flowchart {direction}", *writer.lines(), *_classes(PALETTES[theme], heat)]) + "\n"


class _Writer:
    def __init__(self, picture: Diagram, shapes: bool, costs: bool, heat: Heat | None) -> None:
        self._picture = picture
        self._heat = heat
        self._numbers = Numbers(picture.graph)
        self._shapes = shapes
        self._costs = costs
        # Ids are numbered and not names of the program: words such as `end` have a meaning in Mermaid.
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
        if self._heat and self._heat.ends:
            measure = self._heat.measure
            low, high = (written(number, measure) for number in self._heat.ends)
            low = f"up to {low}" if self._heat.below else low
            yield f'  legend["{_text(f"{TITLES[measure]}: {low} … {high}")}"]:::heat{STEPS - 1}'

    def _item(self, item: Item, pad: str) -> Iterator[str]:
        if isinstance(item, Cluster):
            self._clusters += 1
            yield f'{pad}subgraph c{self._clusters}["{_text(_heading(item)) or " "}"]'
            for child in item.children:
                yield from self._item(child, pad + "  ")
            yield f"{pad}end"
        elif isinstance(item, Folded):
            shapes = f"→ {leaving(item)}" if self._shapes and item.leaving else ""
            cost = self._numbers.cost(item.nodes, total=True) if self._costs else ""
            cost = " · ".join(part for part in (cost, self._note(item)) if part)
            yield f'{pad}{self._ids[item.key]}["{_joined(_heading(item), shapes, cost)}"]:::{self._class(item, "folded")}'
        elif item.head.node.op.symbol in KNOWN and len(item.cells) == 1:
            op = item.head.node.op
            yield f'{pad}{self._ids[item.key]}(("{_text(op.symbol)}")):::{self._class(item, op.category)}'
        else:
            yield f'{pad}{self._ids[item.key]}["{self._box(item)}"]:::{self._class(item, item.head.node.op.category)}'

    def _box(self, box: Box) -> str:
        node, nodes = box.head.node, box.head.nodes
        ops = " → ".join(_layer(cell) for cell in box.cells) + (f" ×{box.times}" if box.times > 1 else "")
        cost = self._numbers.cost(nodes) if self._costs else ""
        whose = f"weights of {node.weights_of}" if self._numbers.borrows(node) else ""
        notes = (box.label or called(nodes), cost, self._note(box), whose)
        return _joined(ops, " · ".join(part for part in notes if part))

    def _note(self, box: Box | Folded) -> str:
        return self._heat.note(box.key) if self._heat else ""

    def _class(self, box: Box | Folded, usual: str) -> str:
        """The class a box's colours come from."""
        if self._heat is None:
            return usual
        step = self._heat.step(box.key)
        return "nothing" if step is None else f"heat{step}"

    def _port(self, port: Port) -> str:
        return f"{port.title} {self._numbers.type(port.node)}{' (training)' if port.training else ''}"


def _layer(cell: Cell) -> str:
    return f"{sign(cell.node)} {essentials(cell.node)}".strip()


def _heading(item: Cluster | Folded) -> str:
    times = f"×{item.times}" if item.times > 1 else ""
    return " ".join(part for part in (item.label, item.title, times, "(shared weights)" if item.shared else "") if part)


def _classes(palette: Palette, heat: Heat | None) -> Iterator[str]:
    if heat:
        for step, (fill, ink) in enumerate(palette.heat):
            yield f"  classDef heat{step} fill:{fill},stroke:{palette.outline},color:{ink}"
        yield f"  classDef nothing fill:{palette.paper},stroke:{palette.outline},color:{palette.text}"
    else:
        for category, (fill, line) in palette.fills.items():
            yield f"  classDef {category} fill:{fill},stroke:{line},color:{palette.text}"
    yield f"  classDef folded fill:{palette.depths[0]},stroke:{palette.badge},color:{palette.text}"
    yield f"  classDef port fill:{palette.port},stroke:{palette.port},color:{palette.port_text}"


def _joined(*lines: str) -> str:
    return "<br/>".join(_text(line) for line in lines if line)


# A point inside a number or a name stays; a point before a space would begin a Markdown list.
_UNSAFE = re.compile(r"(?!\.\w)[^\w ×→–·,‖/+]|_")


def _text(text: str) -> str:
    """Text inside quotation marks: all that Mermaid, Markdown or HTML could take for more is written as its number."""
    return _UNSAFE.sub(lambda match: f"#{ord(match[0])};", visible(text))
