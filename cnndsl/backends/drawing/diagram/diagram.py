"""What is drawn: boxes in clusters, and arrows between boxes. Knows neither DOT nor Mermaid."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from cnndsl.ir.graph import Graph, Node


@dataclass(frozen=True)
class Cell:
    """One op of a box. `nodes` are all it stands for, round by round; the first one is drawn."""

    nodes: tuple[Node, ...]

    @property
    def node(self) -> Node:
        return self.nodes[0]


@dataclass(frozen=True)
class Box:
    """Ops drawn as one: a convolution with the normalisation and activation that follow it, or a single op.

    `label` is the name of a group or block that holds nothing else, `times` the rounds of a repeat that holds nothing else.
    """

    key: str
    cells: tuple[Cell, ...]
    label: str = ""
    times: int = 1

    @property
    def head(self) -> Cell:
        """The cell that does the work: the one with the convolution or matrix product, else the first."""
        heavy = (cell for cell in self.cells if cell.node.op.category in HEAVY)
        return next(heavy, self.cells[0])


@dataclass(frozen=True)
class Folded:
    """A closed cluster, one box because it lies below the depth that was asked for.

    `nodes` are all nodes it stands for, `leaving` those of the last round that are read outside.
    """

    key: str
    label: str
    title: str
    times: int
    nodes: tuple[Node, ...]
    leaving: tuple[Node, ...]
    shared: bool


@dataclass(frozen=True)
class Cluster:
    """A piece of the program's structure. Of `times` alike rounds one is drawn. `shared`: nodes elsewhere own its weights."""

    key: str
    label: str
    title: str
    times: int
    children: tuple[Item, ...]
    nodes: tuple[Node, ...]
    shared: bool

    def labelled(self, label: str) -> Cluster:
        return replace(self, label=label)


Item = Box | Folded | Cluster

HEAVY = ("convolution", "dense", "attention")
"""Categories of ops that have most of a network's weights and products: a box is named after such an op."""


@dataclass(frozen=True)
class Port:
    """Where a tensor enters or leaves the network. `node` is the tensor's name."""

    key: str
    name: str
    node: str
    training: bool = False

    @property
    def title(self) -> str:
        """The name; `output` for an output whose name is only the position of its last layer."""
        return "output" if self.key.startswith("out:") and self.name.rpartition(".")[2].isdigit() else self.name


@dataclass(frozen=True)
class Edge:
    """A tensor on its way. `label` is its shape where that is worth saying; `skip` marks a way around other boxes."""

    tail: str
    head: str
    tensor: str
    label: str = ""
    skip: bool = False


@dataclass(frozen=True)
class Diagram:
    """The whole picture; keys of ports, boxes and clusters are unique, edges name those of ports and boxes."""

    graph: Graph
    inputs: tuple[Port, ...]
    items: tuple[Item, ...]
    outputs: tuple[Port, ...]
    edges: tuple[Edge, ...]

    def boxes(self) -> Iterator[Box | Folded]:
        """Every box in reading order."""
        return leaves(self.items)


def leaves(items: tuple[Item, ...]) -> Iterator[Box | Folded]:
    """The boxes of these items and of all clusters in them, in reading order."""
    for item in items:
        if isinstance(item, Cluster):
            yield from leaves(item.children)
        else:
            yield item
