"""Diagram → DOT text, written without any library: the same graph always gives the same characters."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal, TypedDict

from cnndsl.backends.drawing.colours.measure import Heat, Measure
from cnndsl.backends.drawing.colours.palette import Palette
from cnndsl.backends.drawing.colours.theme import PALETTES, Theme
from cnndsl.backends.drawing.diagram.caption import KNOWN
from cnndsl.backends.drawing.diagram.columns import columns as side_by_side
from cnndsl.backends.drawing.diagram.diagram import Box, Cluster, Diagram, Folded, Item, Port
from cnndsl.backends.drawing.diagram.junctions import Stretch, stretches
from cnndsl.backends.drawing.diagram.structure import diagram
from cnndsl.backends.drawing.words.escape import html, identifier, quoted
from cnndsl.backends.drawing.words.labels import Labels
from cnndsl.backends.drawing.words.numbers import Numbers
from cnndsl.ir.graph import Graph

Direction = Literal["TB", "LR", "BT", "RL"]


class Style(TypedDict, total=False):
    """How a diagram is drawn: the arguments of `to_dot` and `to_mermaid`, for functions that pass them on."""

    depth: int | None
    expand: bool
    direction: Direction
    show_shapes: bool
    show_costs: bool
    color: Measure | None
    theme: Theme


FONT = "Helvetica,Arial,sans-serif"


def to_dot(
    graph: Graph,
    *,
    depth: int | None = None,
    expand: bool = False,
    direction: Direction = "TB",
    show_shapes: bool = True,
    show_costs: bool = True,
    color: Measure | None = None,
    theme: Theme = "light",
    columns: int = 1,
) -> str:
    """The diagram of a graph as text in Graphviz's language, DOT.

    `depth` levels of blocks are opened and those below are one box each, `expand` draws every round of a repeat, `direction` is
    where the network flows, `show_shapes` writes shapes on the arrows where they change, `show_costs` parameters and
    multiply-adds in the boxes. `color` colours the boxes by a measure (`"rf"`, `"params"`, `"macs"`, `"memory"`), with a legend.
    A long diagram is cut into at most so many `columns`. With the theme `"auto"` the colours are marks that `render_dot` replaces in an SVG.
    """
    picture = side_by_side(diagram(graph, depth=depth, expand=expand), columns)
    heat = Heat(picture, color) if color else None
    return "\n".join(_Writer(picture, direction, show_shapes, show_costs, heat, PALETTES[theme]).lines()) + "\n"


class _Writer:
    def __init__(
        self, picture: Diagram, direction: Direction, shapes: bool, costs: bool, heat: Heat | None, palette: Palette
    ) -> None:
        self._picture = picture
        self._graph = picture.graph
        self._direction = direction
        self._shapes = shapes
        self._colours = palette
        self._heat = heat
        self._numbers = Numbers(picture.graph)
        upright = direction in ("LR", "RL")
        self._labels = Labels(self._numbers, palette, heat, upright=upright, shapes=shapes, costs=costs)
        junctions, self._stretches, self._aside = stretches(picture.items, picture.edges)
        self._forks: dict[str, list[str]] = {}
        for junction in junctions:
            self._forks.setdefault(junction.cluster, []).append(junction.key)

    def lines(self) -> Iterator[str]:
        c = self._colours
        yield f"digraph {quoted(self._graph.name)} {{"
        yield f'  graph [rankdir={self._direction} bgcolor="{c.paper}" fontname="{FONT}" fontsize=11 fontcolor="{c.text}"'
        yield '    labeljust=l nodesep=0.3 ranksep=0.28 margin=0 pad=0.2 tooltip=" "]'
        if legend := self._labels.legend():
            yield f"  graph [labelloc=t label=<{legend}>]"
        yield f'  node [shape=plain fontname="{FONT}" fontsize=11 fontcolor="{c.text}"]'
        yield f'  edge [color="{c.arrow}" arrowsize=0.6 penwidth=1.1 fontname="{FONT}" fontsize=8.5 fontcolor="{c.quiet}"'
        yield "    weight=8]"
        for port in self._picture.inputs:
            yield self._port(port, "input")
        for item in self._picture.items:
            yield from self._item(item, 1)
        for port in self._picture.outputs:
            yield self._port(port, "output")
        for stretch in self._stretches:
            yield self._arrow(stretch)
        if begin := [port.key for port in self._picture.inputs if port.key.startswith("from:")]:
            # Every column begins at the top.
            yield f"  {{ rank=min; {'; '.join(map(_id, begin))} }}"
        yield "}"

    def _item(self, item: Item, level: int) -> Iterator[str]:
        pad = "  " * level
        if isinstance(item, Cluster):
            yield from self._cluster(item, level)
        elif isinstance(item, Folded):
            yield f"{pad}{_id(item.key)} [{_mark(item.key, self._numbers.group(item))} label=<{self._labels.folded(item)}>]"
        elif len(item.cells) > 1:
            # The ops inside have ids and tooltips of their own.
            mark = _mark(f"box:{item.cells[0].node.name}", self._numbers.box(item))
            yield f"{pad}{_id(item.key)} [{mark} label=<{self._labels.box(item)}>]"
        else:
            mark = _mark(item.key, self._numbers.op(item.head.nodes))
            circle = item.head.node.op.symbol in KNOWN and item.times == 1 and not item.label
            look = self._circle(item) if circle else f"label=<{self._labels.box(item)}>"
            yield f"{pad}{_id(item.key)} [{mark} {look}]"

    def _cluster(self, cluster: Cluster, level: int) -> Iterator[str]:
        c, pad = self._colours, "  " * level
        style = "rounded,filled,dashed" if cluster.shared else "rounded,filled"
        aside = " labeljust=r" if cluster.key in self._aside else ""
        label = self._labels.cluster(cluster, aside=bool(aside))
        yield f'{pad}subgraph "cluster_{identifier(cluster.key)}" {{'
        yield f'{pad}  graph [{_mark(cluster.key, self._numbers.group(cluster))} style="{style}" penwidth=1 margin=9'
        yield f'{pad}    color="{c.outline}" fillcolor="{c.depths[(level - 1) % len(c.depths)]}"{aside}'
        yield f"{pad}    label={f'<{label}>' if label else quoted('')}]"
        for fork in self._forks.get(cluster.key, []):
            yield f'{pad}  {_id(fork)} [shape=point width=0.05 color="{c.arrow}" tooltip=" "]'
        for child in cluster.children:
            yield from self._item(child, level + 1)
        yield f"{pad}}}"

    def _port(self, port: Port, kind: str) -> str:
        c = self._colours
        look = (
            f'style="rounded,filled,dashed" fillcolor="{c.paper}"'
            if port.training
            else f'style="rounded,filled" fillcolor="{c.port}"'
        )
        mark = _mark(port.key, self._numbers.port(port, kind))
        label = self._labels.port(port)
        return (
            f'  {_id(port.key)} [{mark} shape=box {look} color="{c.port}" margin="0.12,0.05" height=0 label=<{label}>]'
        )

    def _circle(self, box: Box) -> str:
        op = box.head.node.op
        fill, ink, _ = self._labels.look(box)
        line = self._colours.fills[op.category][1] if self._heat is None else self._colours.arrow
        look = f'fillcolor="{fill}" color="{line}" fontcolor="{ink}" penwidth=1.3 fontsize=14'
        return f"shape=circle style=filled fixedsize=true width=0.27 {look} label={quoted(op.symbol)}"

    def _arrow(self, stretch: Stretch) -> str:
        edge = stretch.edge
        options = [f"tooltip={quoted(f'{edge.tensor}: {self._graph.types[edge.tensor]}')}"]
        if edge.label and self._shapes and stretch.labelled:
            options.append(f"label=<&#160;{html(edge.label)}&#160;>")
        if not stretch.ends:
            options.append("arrowhead=none")
        elif edge.skip:
            if stretch.tail != edge.tail:
                # An empty label keeps room for the arrow between the boxes, so that it stays inside its cluster.
                options.append('label="      "')
            options.append(f'color="{self._colours.skip}" penwidth=1.4')
        if not stretch.main:
            # Graphviz keeps arrows of high weight straight: the chain, then a side branch next to the box that it joins.
            options.append("weight=2" if stretch.joins and not edge.skip else "weight=1")
        return f"  {_id(stretch.tail)} -> {_id(stretch.head)} [{' '.join(options)}]"


def _mark(key: str, tip: str) -> str:
    return f'id="{identifier(key)}" tooltip={quoted(tip)}'


def _id(key: str) -> str:
    return f'"{identifier(key)}"'
