"""The structure of the program as a tree of parts: one part for each frame of the graph that holds nodes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal

from cnndsl.ir.graph import Frame, Graph

Kind = Literal["block", "group", "repeat", "round", "run"]


@dataclass
class Part:
    """A frame and what lies in it: nodes, by their position in the graph, and other parts, in reading order.

    A `run` holds rounds that are alike, as parts. `origin` is the repeat that a round or the block in it comes from.
    """

    key: str
    kind: Kind
    title: str = ""
    name: str = ""
    items: list[int | Part] = field(default_factory=list)
    origin: str | None = None

    def flat(self) -> Iterator[int]:
        """Positions of all nodes inside, in reading order."""
        for item in self.items:
            if isinstance(item, Part):
                yield from item.flat()
            else:
                yield item

    @property
    def numbered(self) -> bool:
        """Whether the part is named by its position among others, and not by a label."""
        return self.name.rpartition(".")[2].isdigit() or not self.name


def parts(graph: Graph) -> Part:
    """The tree of the graph's frames; frames without nodes do not appear. The root is the network."""
    root = Part(key="root", kind="block", title=graph.name)
    made: dict[int, Part] = {}

    def part(index: int) -> Part:
        if index not in made:
            frame = graph.frames[index]
            made[index] = _part(index, frame)
            parent = root if frame.parent is None else part(frame.parent)
            parent.items.append(made[index])
        return made[index]

    for position, node in enumerate(graph.nodes):
        (root if node.frame is None else part(node.frame)).items.append(position)
    return root


def _part(index: int, frame: Frame) -> Part:
    return Part(key=f"frame{index}", kind=frame.kind, title=frame.title, name=frame.name)
