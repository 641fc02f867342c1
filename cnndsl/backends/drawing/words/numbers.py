"""The small type and the tooltips of a diagram: what layers cost, and all else that is known of them."""

from __future__ import annotations

from collections.abc import Sequence

from cnndsl.analyses.cost import cost
from cnndsl.analyses.params import params
from cnndsl.backends.drawing.diagram.caption import count, shape, span
from cnndsl.backends.drawing.diagram.diagram import Box, Cluster, Folded, Port
from cnndsl.backends.drawing.words.escape import visible
from cnndsl.ir.graph import Graph, Node


class Numbers:
    """Parameters and multiply-adds of a graph's nodes, and texts about them."""

    def __init__(self, graph: Graph) -> None:
        self._graph = graph
        self._params = {name: state.trained for name, state in params(graph).items()}
        self._macs = {name: work.macs for name, work in cost(graph).items()}

    def borrows(self, node: Node) -> bool:
        """Whether the node has weights and another node owns them."""
        return not node.owns_weights and bool(self._graph.node_weights(node))

    def cost(self, nodes: Sequence[Node], *, total: bool = False) -> str:
        """`9.41K params · 118M MACs` of one node, or the total; without what is zero. Of a node that stands for several it
        is what each of them has, `864–9.22K params each`: a range where they differ."""
        counted = {
            "params": [self._params.get(n.name, 0) for n in nodes],
            "MACs": [self._macs.get(n.name, 0) for n in nodes],
        }
        said = [(count(sum(each)) if total else span(each), unit) for unit, each in counted.items() if any(each)]
        each = " each" if said and len(nodes) > 1 and not total else ""
        return " · ".join(f"{number} {unit}" for number, unit in said) + each

    def op(self, nodes: Sequence[Node]) -> str:
        """Everything about a node, line by line. Where one node is drawn for several, it has their names and the ranges of numbers."""
        node = nodes[0]
        names = [n.name for n in nodes]
        many = f"{names[0]}, {names[1]} … {names[-1]} ({len(names)} times)" if len(names) > 4 else ", ".join(names)
        entering = zip(*(self._graph.input_types(n) for n in nodes), strict=True)
        dtype = "" if node.type.dtype == "float32" else f" of {node.type.dtype}"
        lines = [many, node.op.text(), f"{', '.join(map(shape, entering))} → {shape(n.type for n in nodes)}{dtype}"]
        each = " each" if len(nodes) > 1 else ""
        for numbers, unit in ((self._params, "params"), (self._macs, "MACs")):
            counted = [numbers.get(name, 0) for name in names]
            if any(counted):
                lines.append(f"{span(counted, '{:,}'.format)} {unit}{each}")
        if self.borrows(node):
            lines.append(f"weights of {', '.join(dict.fromkeys(n.weights_of for n in nodes))}")
        if node.place is not None:
            lines.append(f"{node.place.file}:{node.place.line}:{node.place.column}")
        return _joined(lines)

    def box(self, box: Box) -> str:
        """The ops of a box in a row."""
        return " → ".join(cell.node.op.text() for cell in box.cells)

    def group(self, item: Cluster | Folded) -> str:
        """A cluster: its words, how often it stands there, its totals."""
        heading = " ".join(word for word in (item.label, item.title) if word) or "repeat"
        times = f" ×{item.times}" if item.times > 1 else ""
        lines = [heading + times, self.cost(item.nodes, total=True), f"{len(item.nodes)} layers"]
        if isinstance(item, Folded) and item.leaving:
            lines.append(f"→ {leaving(item)}")
        return _joined(lines)

    def port(self, port: Port, kind: str) -> str:
        """An input or output."""
        source = "" if port.node == port.name else f", from {port.node}"
        when = ", in training only" if port.training else ""
        return _joined([f"{port.name}: {kind}{when}, {self.type(port.node)}{source}"])

    def type(self, tensor: str) -> str:
        """A tensor's shape, and its dtype where that is not the usual one."""
        type = self._graph.types[tensor]
        return str(type) if type.dtype == "float32" else f"{type} of {type.dtype}"


def leaving(item: Folded) -> str:
    """The shapes that leave a folded cluster, each once."""
    return ", ".join(dict.fromkeys(str(node.type) for node in item.leaving))


def _joined(lines: list[str]) -> str:
    """The lines that are not empty. A line end inside a line is made visible, so that it stays one line."""
    return "\n".join(visible(line) for line in lines if line)
