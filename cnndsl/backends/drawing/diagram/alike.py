"""Which rounds of a repetition are alike, so that one of them can stand for all."""

from __future__ import annotations

from cnndsl.backends.drawing.diagram.parts import Part
from cnndsl.ir.graph import Graph, Node

Link = tuple[int | None, ...]
"""How a round depends on the round before it. For each node of the round, whether both rounds use the weights of the
same node outside; then for each tensor that enters the node from outside the round, the place in the round before of the
node that made it, or None where the same tensor enters every round."""

OTHERS = -1
"""In a `Link`: the node uses the weights of a node outside the rounds."""


class Rounds:
    """Compares parts of one graph."""

    def __init__(self, graph: Graph) -> None:
        self._graph = graph
        self._position = {node.name: position for position, node in enumerate(graph.nodes)}
        self._leaving = {output.node for output in graph.outputs}

    def runs(self, items: list[int | Part]) -> list[int | Part]:
        """The items, with two or more alike parts that follow each other put into one part of kind `run`."""
        result: list[int | Part] = []
        start = 0
        while start < len(items):
            first = items[start]
            length = self._length(items, start) if isinstance(first, Part) else 1
            if isinstance(first, Part) and length > 1:
                rounds = items[start : start + length]
                result.append(Part(f"{first.key}x{length}", "run", first.title, first.name, rounds))
            else:
                result.append(first)
            start += length
        return result

    def _length(self, items: list[int | Part], start: int) -> int:
        link: Link | None = None
        end = start
        while end + 1 < len(items):
            part, following = items[end], items[end + 1]
            if not (isinstance(part, Part) and isinstance(following, Part) and _comparable(part, following)):
                break
            step = self._link(part, following)
            if step is None or (link is not None and step != link):
                break
            link, end = step, end + 1
        return end - start + 1

    def _link(self, part: Part, following: Part) -> Link | None:
        """How a part depends on the one before it; None if they are not alike, or if a third part reads from the first."""
        first, second = list(part.flat()), list(following.flat())
        if len(first) != len(second) or _outline(part) != _outline(following):
            return None
        here = {position: place for place, position in enumerate(first)}
        there = {position: place for place, position in enumerate(second)}
        if not all(self._stays(position, here, there) for position in first):
            return None
        link: list[int | None] = []
        for a, b in zip(first, second, strict=True):
            x, y = self._graph.nodes[a], self._graph.nodes[b]
            if not self._same(x, y, here, there):
                return None
            link.append(OTHERS if x.weights_of == y.weights_of else None)
            for name_x, name_y in zip(x.inputs, y.inputs, strict=True):
                inside_x = here.get(self._position.get(name_x, -1))
                inside_y = there.get(self._position.get(name_y, -1))
                if inside_x != inside_y:
                    return None
                if inside_y is None:
                    carried = here.get(self._position.get(name_y, -1))
                    if carried is None and name_x != name_y:
                        return None
                    link.append(carried)
        return tuple(link)

    def _stays(self, position: int, here: dict[int, int], there: dict[int, int]) -> bool:
        """Whether a tensor of a round is read only in it and in the next one."""
        name = self._graph.nodes[position].name
        readers = (self._position[reader.name] for reader in self._graph.consumers[name])
        return name not in self._leaving and all(reader in here or reader in there for reader in readers)

    def _same(self, x: Node, y: Node, here: dict[int, int], there: dict[int, int]) -> bool:
        """Same op and arguments, same size of the map; channels may grow from round to round, as in DenseNet."""
        if x.op != y.op or len(x.inputs) != len(y.inputs):
            return False
        if (x.type.size, x.type.dtype, x.type.channel_axis) != (y.type.size, y.type.dtype, y.type.channel_axis):
            return False
        owner_x, owner_y = self._position[x.weights_of], self._position[y.weights_of]
        return here.get(owner_x) == there.get(owner_y)


def _comparable(part: Part, following: Part) -> bool:
    """Whether both are rounds of one repeat, or blocks of one kind whose names are numbers."""
    if part.origin is not None and part.origin == following.origin:
        return True
    blocks = part.kind == following.kind == "block" and part.title == following.title
    return blocks and part.numbered and following.numbered


def _outline(part: Part) -> tuple[object, ...]:
    """The shape of the tree below a part, with the names that a reader sees."""
    return tuple(
        (item.kind, item.title, "" if item.numbered else item.name.rpartition(".")[2], _outline(item))
        if isinstance(item, Part)
        else None
        for item in part.items
    )
