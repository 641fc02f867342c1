"""Diagram → DOT text. Pure text: no library takes part, the same graph always gives the same characters."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal, TypedDict

from cnndsl.backends.dot.caption import borrows, called, cost, essentials, facts, shape, word, written
from cnndsl.backends.dot.diagram import Box, Cell, Cluster, Diagram, Folded, Item, Port
from cnndsl.backends.dot.escape import html, html_tooltip, identifier, quoted
from cnndsl.backends.dot.junctions import Wire, wires
from cnndsl.backends.dot.palette import LIGHT, Palette
from cnndsl.backends.dot.structure import diagram
from cnndsl.ir.graph import Graph

Direction = Literal["TB", "LR", "BT", "RL"]


class Options(TypedDict, total=False):
    """What `to_dot` may be told, for those that pass it on."""

    depth: int | None
    expand: bool
    direction: Direction
    show_shapes: bool
    show_costs: bool
    palette: Palette


FONT = "Helvetica,Arial,sans-serif"


def to_dot(
    graph: Graph,
    *,
    depth: int | None = None,
    expand: bool = False,
    direction: Direction = "TB",
    show_shapes: bool = True,
    show_costs: bool = True,
    palette: Palette = LIGHT,
) -> str:
    """The picture of a graph as DOT.

    `depth` levels of blocks are opened and those below are one box each, `expand` draws every round of a repeat, `direction` is
    where the network flows, `show_shapes` writes shapes on the arrows where they change, `show_costs` parameters and
    multiply-adds in the boxes.
    """
    picture = diagram(graph, depth=depth, expand=expand)
    return _Writer(picture, direction, show_shapes, show_costs, palette).text()


class _Writer:
    def __init__(self, picture: Diagram, direction: Direction, shapes: bool, costs: bool, palette: Palette) -> None:
        self._picture = picture
        self._graph = picture.graph
        self._direction = direction
        self._shapes = shapes
        self._costs = costs
        self._colours = palette
        junctions, self._wires, self._aside = wires(picture.items, picture.edges)
        self._lent: set[str] = set()
        self._forks: dict[str, list[str]] = {}
        for junction in junctions:
            self._forks.setdefault(junction.cluster, []).append(junction.key)

    def text(self) -> str:
        return "\n".join(self._lines()) + "\n"

    def _lines(self) -> Iterator[str]:
        c = self._colours
        yield f"digraph {quoted(self._graph.name)} {{"
        yield f'  graph [rankdir={self._direction} bgcolor="{c.paper}" fontname="{FONT}" fontsize=11 fontcolor="{c.text}" labeljust=l'
        yield '    nodesep=0.3 ranksep=0.28 margin=0 pad=0.2 tooltip=" "]'
        yield f'  node [shape=plain fontname="{FONT}" fontsize=11 fontcolor="{c.text}"]'
        yield f'  edge [color="{c.arrow}" arrowsize=0.6 penwidth=1.1 fontname="{FONT}" fontsize=8.5 fontcolor="{c.quiet}" weight=8]'
        for port in self._picture.inputs:
            yield self._port(port, "input")
        for item in self._picture.items:
            yield from self._item(item, 0)
        for port in self._picture.outputs:
            yield self._port(port, "output")
        for wire in self._wires:
            yield self._wire(wire)
        yield "}"

    def _port(self, port: Port, kind: str) -> str:
        c = self._colours
        type = self._graph.types[port.node]
        note = "output, in training only" if port.training else kind
        dtype = "" if type.dtype == "float32" else f" of {type.dtype}"
        style = "rounded,filled,dashed" if port.training else "rounded,filled"
        fill, ink = (c.paper, c.text) if port.training else (c.port, c.port_text)
        label = f'<<FONT COLOR="{ink}"><B>{html(port.name)}</B>  <FONT POINT-SIZE="9">{html(str(type) + dtype)}</FONT></FONT>>'
        return (
            f'  {self._id(port.key)} [{self._mark(port.key, port_facts(port, note, str(type) + dtype))} shape=box style="{style}"'
            f' fillcolor="{fill}" color="{c.port}" margin="0.12,0.05" height=0 label={label}]'
        )

    def _item(self, item: Item, depth: int) -> Iterator[str]:
        if isinstance(item, Cluster):
            yield from self._cluster(item, depth)
        elif isinstance(item, Folded):
            yield f"{'  ' * (depth + 1)}{self._folded(item)}"
        else:
            yield f"{'  ' * (depth + 1)}{self._box(item)}"

    def _cluster(self, cluster: Cluster, depth: int) -> Iterator[str]:
        c, pad = self._colours, "  " * (depth + 1)
        style = "rounded,filled,dashed" if cluster.shared else "rounded,filled"
        aside = " labeljust=r" if cluster.key in self._aside else ""
        yield f'{pad}subgraph "cluster_{identifier(cluster.key)}" {{'
        yield f'{pad}  graph [{self._mark(cluster.key, group_facts(self._graph, cluster))} style="{style}" penwidth=1 margin=9'
        yield f'{pad}    color="{c.outline}" fillcolor="{c.depths[depth % len(c.depths)]}"{aside} label={self._heading(cluster)}]'
        for fork in self._forks.get(cluster.key, []):
            yield f'{pad}  {self._id(fork)} [shape=point width=0.05 color="{c.arrow}" tooltip=" "]'
        if cluster.shared:
            self._lent |= {node.name for node in cluster.nodes}
        for child in cluster.children:
            yield from self._item(child, depth + 1)
        yield f"{pad}}}"

    def _heading(self, cluster: Cluster) -> str:
        words = [part for part in (self._title(cluster), self._badge(cluster.times)) if part]
        if not words:
            return '""'
        cells = "".join(f"<TD>{part}</TD>" if not part.startswith("<TD") else part for part in words)
        return f'<<TABLE BORDER="0" CELLBORDER="0" CELLPADDING="1" CELLSPACING="2"><TR>{cells}</TR></TABLE>>'

    def _title(self, item: Cluster | Folded) -> str:
        c = self._colours
        words = [f"<B>{html(item.label)}</B>"] if item.label else []
        if item.title:
            words.append(
                f'<FONT COLOR="{c.quiet}">{html(item.title)}</FONT>' if item.label else f"<B>{html(item.title)}</B>"
            )
        if item.shared:
            words.append(f'<FONT COLOR="{c.quiet}" POINT-SIZE="9"><I>shared weights</I></FONT>')
        return "  ".join(words)

    def _badge(self, times: int) -> str:
        if times == 1:
            return ""
        c = self._colours
        return (
            f'<TD BGCOLOR="{c.badge}" STYLE="ROUNDED" CELLPADDING="2">'
            f'<FONT COLOR="{c.badge_text}" POINT-SIZE="10"><B> ×{times} </B></FONT></TD>'
        )

    def _folded(self, item: Folded) -> str:
        c = self._colours
        lines = [self._title(item) or "repeat"]
        shapes = ", ".join(dict.fromkeys(str(node.type) for node in item.leaving))
        if self._shapes and shapes:
            lines.append(self._small(f"→ {shapes}"))
        if self._costs and (text := cost(self._graph, item.nodes, total=True)):
            lines.append(self._small(text))
        rows = "".join(f'<TR><TD ALIGN="LEFT">{line}</TD></TR>' for line in lines)
        inner = f'<TD><TABLE BORDER="0" CELLBORDER="0" CELLPADDING="1" CELLSPACING="0">{rows}</TABLE></TD>'
        table = self._table(inner + self._badge(item.times), c.depths[0], c.badge, dashed=item.shared)
        return f"{self._id(item.key)} [{self._mark(item.key, group_facts(self._graph, item))} label=<{table}>]"

    def _box(self, box: Box) -> str:
        node = box.head.node
        if len(box.cells) == 1 and node.op.symbol and box.times == 1 and not box.label:
            return self._circle(box)
        fill, line = self._colours.fills[node.op.category]
        alone = len(box.cells) == 1
        cells = [self._main(box, cell) if cell is box.head else self._chip(cell) for cell in box.cells]
        if self._direction in ("LR", "RL"):
            rows = "".join(f"<TR>{cell}</TR>" for cell in cells)
            cells = [f'<TD><TABLE BORDER="0" CELLBORDER="0" CELLPADDING="1" CELLSPACING="2">{rows}</TABLE></TD>']
        table = self._table("".join(cells) + self._badge(box.times), fill, line, dashed=borrows(self._graph, node))
        key = box.key if alone else f"box:{box.key.removeprefix('op:')}"
        tip = facts(self._graph, box.head.nodes) if alone else " → ".join(written(cell.node) for cell in box.cells)
        return f"{self._id(box.key)} [{self._mark(key, tip)} label=<{table}>]"

    def _circle(self, box: Box) -> str:
        cell = box.head
        fill, line = self._colours.fills[cell.node.op.category]
        return (
            f"{self._id(box.key)} [{self._mark(box.key, facts(self._graph, cell.nodes))} shape=circle style=filled fixedsize=true"
            f' width=0.27 fillcolor="{fill}" color="{line}" penwidth=1.3 fontsize=14 label={quoted(cell.node.op.symbol)}]'
        )

    def _main(self, box: Box, cell: Cell) -> str:
        node = cell.node
        arguments = essentials(node)
        sign = f'<FONT POINT-SIZE="14">{html(node.op.symbol)}</FONT>' if node.op.symbol else html(word(node))
        lines = [f"<B>{sign}</B>" + (f"  {html(arguments)}" if arguments else "")]
        notes = [
            box.label or called(cell.nodes),
            cost(self._graph, cell.nodes) if self._costs else "",
            self._whose(cell),
        ]
        small = " · ".join(note for note in notes if note)
        if small:
            lines.append(self._small(small))
        rows = "".join(f'<TR><TD ALIGN="LEFT">{line}</TD></TR>' for line in lines)
        inner = f'<TABLE BORDER="0" CELLBORDER="0" CELLPADDING="0" CELLSPACING="1">{rows}</TABLE>'
        return f"<TD{self._cell_mark(cell) if len(box.cells) > 1 else ''}>{inner}</TD>"

    def _whose(self, cell: Cell) -> str:
        """Whose weights a layer uses, where they are another's and no cluster around it says so."""
        owners = [node.weights_of for node in cell.nodes]
        if not borrows(self._graph, cell.node) or cell.node.name in self._lent:
            return ""
        return f"weights of {owners[0]}" + (f" … {owners[-1]}" if owners[-1] != owners[0] else "")

    def _chip(self, cell: Cell) -> str:
        node = cell.node
        fill, _ = self._colours.fills[node.op.category]
        arguments = essentials(node)
        text = html(word(node) + (f" {arguments}" if arguments else ""))
        return f'<TD{self._cell_mark(cell)} BGCOLOR="{fill}" STYLE="ROUNDED"><FONT POINT-SIZE="9">{text}</FONT></TD>'

    def _cell_mark(self, cell: Cell) -> str:
        """The id and tooltip of one op inside a box."""
        tip = html_tooltip(facts(self._graph, cell.nodes))
        return f' ID="{identifier(f"op:{cell.node.name}")}" TOOLTIP="{tip}"'

    def _table(self, cells: str, fill: str, line: str, *, dashed: bool = False) -> str:
        style = "ROUNDED,DASHED" if dashed else "ROUNDED"
        return (
            f'<TABLE BORDER="1" CELLBORDER="0" CELLPADDING="3" CELLSPACING="3" STYLE="{style}" BGCOLOR="{fill}" COLOR="{line}">'
            f"<TR>{cells}</TR></TABLE>"
        )

    def _small(self, text: str) -> str:
        return f'<FONT POINT-SIZE="8.5" COLOR="{self._colours.quiet}">{html(text)}</FONT>'

    def _wire(self, wire: Wire) -> str:
        edge = wire.edge
        options = [f"tooltip={quoted(f'{edge.tensor}: {self._graph.types[edge.tensor]}')}"]
        if edge.label and self._shapes and wire.labelled:
            options.append(f"label=<&#160;{html(edge.label)}&#160;>")
        if not wire.ends:
            options.append("arrowhead=none")
        elif edge.skip:
            if wire.tail != edge.tail:
                # An empty label keeps a way free, so that the arrow stays inside its cluster.
                options.append('label="      "')
            options.append(f'color="{self._colours.skip}" penwidth=1.4')
        options += _pull(wire)
        return f"  {self._id(wire.tail)} -> {self._id(wire.head)} [{' '.join(options)}]"

    def _mark(self, key: str, tip: str) -> str:
        return f'id="{identifier(key)}" {self._tip(tip)}'

    def _tip(self, tip: str) -> str:
        return f"tooltip={quoted(tip)}"

    def _id(self, key: str) -> str:
        return f'"{identifier(key)}"'


def _pull(wire: Wire) -> list[str]:
    """How strongly a stretch is kept short and straight: the chain most, and a side branch stands beside what it joins."""
    if wire.main:
        return []
    return ["weight=2" if wire.joins and not wire.edge.skip else "weight=1"]


def port_facts(port: Port, kind: str, type: str) -> str:
    """A port's tooltip."""
    return f"{port.name}: {kind}, {type}" + ("" if port.node == port.name else f", from {port.node}")


def group_facts(graph: Graph, item: Cluster | Folded) -> str:
    """A cluster's tooltip: its words, how often it stands there, its totals."""
    heading = " ".join(word for word in (item.label, item.title) if word) or "repeat"
    times = f" ×{item.times}" if item.times > 1 else ""
    lines = [heading + times, cost(graph, item.nodes, total=True), f"{len(item.nodes)} layers"]
    if isinstance(item, Folded):
        lines.append("→ " + ", ".join(dict.fromkeys(shape([node.type]) for node in item.leaving)))
    return "\n".join(line for line in lines if line)
