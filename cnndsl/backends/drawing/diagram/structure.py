"""Graph → Diagram: the source's own structure, with repeats folded and ops that belong together in one box."""

from __future__ import annotations

from dataclasses import replace

from cnndsl.backends.drawing.diagram.alike import Rounds
from cnndsl.backends.drawing.diagram.arrows import arrows
from cnndsl.backends.drawing.diagram.diagram import Box, Cell, Cluster, Diagram, Folded, Item, Port
from cnndsl.backends.drawing.diagram.parts import Part, parts
from cnndsl.backends.drawing.diagram.stacks import stacks
from cnndsl.backends.drawing.diagram.unfold import unfold
from cnndsl.ir.graph import Graph, Node


def diagram(graph: Graph, *, depth: int | None = None, expand: bool = False) -> Diagram:
    """The picture of a graph.

    Alike rounds of a repeat are drawn once unless `expand`. `depth` is how many levels are opened: with 1 every block
    and labelled group of the network is one box, with 2 what is in them is drawn; 0 draws the whole network as one box.
    """
    if depth is not None and depth < 0:
        raise ValueError(f"depth counts from 0, found {depth}")
    root = unfold(parts(graph), None if expand else Rounds(graph))
    builder = _Builder(graph, root, depth)
    items = (builder.folded(root, 1),) if depth == 0 and graph.nodes else builder.items(root.items, 0)
    inputs = tuple(Port(f"in:{i.name}", i.name, i.name) for i in graph.inputs)
    outputs = tuple(Port(f"out:{o.name}", o.name, o.node, o.training) for o in graph.outputs)
    edges = arrows(graph, inputs, items, outputs, builder.drawn)
    return Diagram(graph, inputs, items, outputs, edges)


class _Builder:
    def __init__(self, graph: Graph, root: Part, depth: int | None) -> None:
        self._graph = graph
        self._depth = depth
        self._position = {node.name: position for position, node in enumerate(graph.nodes)}
        self.drawn = list(range(len(graph.nodes)))
        """For each node the node that is drawn for it: itself, or its twin in the first round."""
        self._gather(root)
        self._rounds: dict[int, list[Node]] = {}
        self._readers: dict[int, set[int | None]] = {}
        """For each drawn node the drawn nodes that read it; None stands for an output of the network."""
        for position, node in enumerate(graph.nodes):
            self.drawn[position] = first = self._first(position)
            self._rounds.setdefault(first, []).append(node)
        for position, node in enumerate(graph.nodes):
            if self.drawn[position] == position:
                for name in node.reads:
                    if name in self._position:
                        self._readers.setdefault(self.drawn[self._position[name]], set()).add(position)
        for output in graph.outputs:
            if output.node in self._position:
                self._readers.setdefault(self.drawn[self._position[output.node]], set()).add(None)

    def _gather(self, part: Part) -> None:
        """Notes for every run inside which nodes of the first round are drawn for those of later rounds."""
        rounds = [list(item.flat()) for item in part.items if isinstance(item, Part)] if part.kind == "run" else []
        for other in rounds[1:]:
            for first, later in zip(rounds[0], other, strict=True):
                self.drawn[later] = first
        for item in part.items[:1] if part.kind == "run" else part.items:
            if isinstance(item, Part):
                self._gather(item)

    def _first(self, position: int) -> int:
        while self.drawn[position] != position:
            position = self.drawn[position]
        return position

    def items(self, items: list[int | Part], level: int) -> tuple[Item, ...]:
        """Boxes and clusters of a body; `level` is how many titled clusters it lies in."""
        made: list[Item] = []
        chain: list[int] = []
        for item in [*items, None]:
            if isinstance(item, int):
                chain.append(item)
                continue
            made += [self._box(stack) for stack in stacks(chain, self._graph.nodes.__getitem__, self._follows)]
            chain = []
            if item is not None:
                made.append(self._part(item, level))
        return tuple(made)

    def _follows(self, first: int, second: int) -> bool:
        """Whether the second reads nothing but the first, and nobody else does."""
        return self._graph.nodes[second].reads == (self._graph.nodes[first].name,) and self._readers.get(first) == {
            second
        }

    def _box(self, stack: list[int]) -> Box:
        cells = tuple(Cell(tuple(self._rounds[position])) for position in stack)
        return Box(f"op:{cells[0].node.name}", cells)

    def _part(self, part: Part, level: int) -> Item:
        times = len(part.items) if part.kind == "run" else 1
        body = part.items[0] if part.kind == "run" else part
        assert isinstance(body, Part)
        titled = body.kind != "round"
        # A round has no title of its own: it is opened with the part around it.
        if titled and self._depth is not None and level + 1 >= self._depth:
            return self.folded(part, times)
        label, title = _names(part)
        children = self.items(body.items, level + titled)
        cluster = Cluster(f"scope:{part.key}", label, title, times, children, self._nodes(part), self._shared(part))
        return _thinned(cluster)

    def folded(self, part: Part, times: int) -> Folded:
        """The part as one box; a label around nothing but a repeat says what is repeated."""
        label, title = _names(part)
        inner = part.items[0] if part.kind == "group" and len(part.items) == 1 else None
        if isinstance(inner, Part) and inner.kind == "run" and not _names(inner)[0]:
            times, title = len(inner.items), _names(inner)[1]
        nodes = self._nodes(part)
        inside = {node.name for node in nodes}
        outputs = {output.node for output in self._graph.outputs}
        leaving = tuple(
            n for n in nodes if n.name in outputs or any(r.name not in inside for r in self._graph.consumers[n.name])
        )
        return Folded(f"scope:{part.key}", label, title, times, nodes, leaving, self._shared(part))

    def _nodes(self, part: Part) -> tuple[Node, ...]:
        """All nodes inside, of the rounds that the part itself is drawn for too."""
        positions = {self.drawn[position] for position in part.flat()}
        return tuple(node for position in sorted(positions) for node in self._rounds[position])

    def _shared(self, part: Part) -> bool:
        """Whether the part has weights and all of them belong to nodes elsewhere."""
        nodes = [self._graph.nodes[position] for position in part.flat()]
        weighty = [node for node in nodes if self._graph.node_weights(node)]
        inside = {node.name for node in nodes}
        return bool(weighty) and all(node.weights_of not in inside for node in weighty)


def _names(part: Part) -> tuple[str, str]:
    """What a cluster is called, and what kind of thing it is; a label that repeats the title stands alone."""
    bodies = [item for item in part.items if isinstance(item, Part)] if part.kind == "run" else [part]
    labels = ["" if body.numbered else body.name.rpartition(".")[2] for body in bodies]
    label = labels[0] if labels[0] == labels[-1] else _through(labels[0], labels[-1])
    if bodies[0].kind == "round":
        return "", ""
    if bodies[0].kind == "group":
        return label or ("" if len(bodies) > 1 else bodies[0].title), ""
    return label, "" if label == bodies[0].title else bodies[0].title


def _thinned(cluster: Cluster) -> Item:
    """The cluster, or the only thing in it where that thing can bear the cluster's words itself."""
    if len(cluster.children) != 1:
        return cluster
    (only,) = cluster.children
    if isinstance(only, Box):
        name = " · ".join(word for word in (cluster.label, cluster.title) if word)
        if (only.label and name) or (only.times > 1 and cluster.times > 1):
            return cluster
        return replace(only, label=name or only.label, times=cluster.times * only.times)
    same = only.label in ("", cluster.label)
    if cluster.times == 1 and not cluster.label and cluster.title == only.label and cluster.shared == only.shared:
        # The cluster is a use of a share, and the only thing in it is the block that the share names.
        return only
    if cluster.times == 1 and same and not cluster.title and cluster.shared == only.shared:
        return replace(only, label=cluster.label)
    return cluster


def _through(first: str, last: str) -> str:
    """`denselayer1…6` for the first and last of a row of names."""
    stem = first.rstrip("0123456789")
    return f"{first}…{last[len(stem) :]}" if stem and last.startswith(stem) else f"{first} … {last}"
