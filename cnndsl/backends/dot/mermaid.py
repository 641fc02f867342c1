"""Diagram → Mermaid, which GitHub, GitLab and most Markdown viewers draw by themselves."""

from __future__ import annotations

import re
from collections.abc import Iterator

from cnndsl.backends.dot.caption import borrows, cost, essentials, word
from cnndsl.backends.dot.diagram import Box, Cell, Cluster, Diagram, Folded, Item, Port
from cnndsl.backends.dot.emit import Direction
from cnndsl.backends.dot.escape import visible
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
    return (
        "\n".join(_lines(diagram(graph, depth=depth, expand=expand), direction, show_shapes, show_costs, palette))
        + "\n"
    )


def _lines(picture: Diagram, direction: str, shapes: bool, costs: bool, palette: Palette) -> Iterator[str]:
    graph = picture.graph
    # Names of a program never become Mermaid's ids: there, words such as `end` mean something.
    ids = {port.key: f"in{index}" for index, port in enumerate(picture.inputs)}
    ids |= {box.key: f"n{index}" for index, box in enumerate(picture.boxes())}
    ids |= {port.key: f"out{index}" for index, port in enumerate(picture.outputs)}
    yield f"flowchart {direction}"
    for port in picture.inputs:
        yield f"  {ids[port.key]}({_port(graph, port)}):::port"
    for item in picture.items:
        yield from _item(graph, item, ids, "  ", shapes, costs)
    for port in picture.outputs:
        yield f"  {ids[port.key]}({_port(graph, port)}):::port"
    for edge in picture.edges:
        label = f'|"{_text(edge.label)}"|' if edge.label and shapes else ""
        yield f"  {ids[edge.tail]} {'-.->' if edge.skip else '-->'}{label} {ids[edge.head]}"
    for category, (fill, line) in palette.fills.items():
        yield f"  classDef {category} fill:{fill},stroke:{line},color:{palette.text}"
    yield f"  classDef folded fill:{palette.depths[0]},stroke:{palette.badge},color:{palette.text}"
    yield f"  classDef port fill:{palette.port},stroke:{palette.port},color:{palette.port_text}"


def _item(graph: Graph, item: Item, ids: dict[str, str], pad: str, shapes: bool, costs: bool) -> Iterator[str]:
    if isinstance(item, Cluster):
        first = next(iter(_boxes(item)))
        yield f'{pad}subgraph {_depth(pad)}{ids[first.key]}["{_text(_heading(item)) or " "}"]'
        for child in item.children:
            yield from _item(graph, child, ids, pad + "  ", shapes, costs)
        yield f"{pad}end"
    elif isinstance(item, Folded):
        lines = [_heading(item)]
        if shapes and item.leaving:
            lines.append("→ " + ", ".join(dict.fromkeys(str(node.type) for node in item.leaving)))
        lines.append(cost(graph, item.nodes, total=True) if costs else "")
        yield f'{pad}{ids[item.key]}["{_joined(lines)}"]:::folded'
    else:
        op = item.head.node.op
        if op.symbol and len(item.cells) == 1:
            yield f'{pad}{ids[item.key]}(("{_text(op.symbol)}")):::{op.category}'
        else:
            yield f'{pad}{ids[item.key]}["{_joined(_words(graph, item, costs))}"]:::{op.category}'


def _depth(pad: str) -> str:
    """A prefix that keeps the id of a cluster apart from those of the clusters and boxes in it."""
    return "c" * (len(pad) // 2)


def _boxes(cluster: Cluster) -> Iterator[Box | Folded]:
    for child in cluster.children:
        if isinstance(child, Cluster):
            yield from _boxes(child)
        else:
            yield child


def _words(graph: Graph, box: Box, costs: bool) -> list[str]:
    times = f" ×{box.times}" if box.times > 1 else ""
    whose = f"weights of {box.head.node.weights_of}" if borrows(graph, box.head.node) else ""
    ops = " → ".join(_layer(cell) for cell in box.cells) + times
    return [ops, " · ".join(part for part in (box.label, cost(graph, box.head.nodes) if costs else "", whose) if part)]


def _layer(cell: Cell) -> str:
    arguments = essentials(cell.node)
    return word(cell.node) + (f" {arguments}" if arguments else "")


def _heading(item: Cluster | Folded) -> str:
    words = [
        item.label,
        item.title,
        f"×{item.times}" if item.times > 1 else "",
        "(shared weights)" if item.shared else "",
    ]
    return " ".join(word for word in words if word)


def _port(graph: Graph, port: Port) -> str:
    note = " (training)" if port.training else ""
    return f'"{_text(f"{port.name} {graph.types[port.node]}{note}")}"'


def _joined(lines: list[str]) -> str:
    return "<br/>".join(_text(line) for line in lines if line)


def _text(text: str) -> str:
    """Text inside quotation marks: all that Mermaid, Markdown or HTML could take for more is written as its number."""
    return _UNSAFE.sub(lambda match: f"#{ord(match[0])};", visible(text))


# A point stays inside a number or a name; before a space it would begin a Markdown list.
_UNSAFE = re.compile(r"(?!\.\w)[^\w ×→–·,‖/+]|_")
