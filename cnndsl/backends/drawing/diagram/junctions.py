"""Where a tensor that several boxes of a cluster read forks: inside the cluster, as a residual block is drawn."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

from cnndsl.backends.drawing.diagram.diagram import Cluster, Edge, Item


@dataclass(frozen=True)
class Junction:
    """A point in a cluster where a tensor forks."""

    key: str
    cluster: str
    tensor: str


@dataclass(frozen=True)
class Stretch:
    """A stretch of an arrow between two boxes or junctions, given by their keys; `edge` is the arrow it is part of.

    `ends`: it reaches the arrow's head. `main`: it carries on the chain, and neither branches off nor joins from the side.
    `labelled`: the tensor's shape is written on it. `joins`: it ends a side branch.
    """

    tail: str
    head: str
    edge: Edge
    ends: bool
    main: bool
    labelled: bool
    joins: bool = False


def stretches(items: tuple[Item, ...], edges: tuple[Edge, ...]) -> tuple[list[Junction], list[Stretch], set[str]]:
    """The arrows, those of one tensor into several boxes of a cluster joined up to a point inside it.

    Also the keys of the clusters that an arrow enters from the left, where their heading should make room.
    """
    laying = _Laying(_above(items), _chain(edges))
    by_tensor: dict[tuple[str, str], list[Edge]] = defaultdict(list)
    for edge in edges:
        by_tensor[edge.tail, edge.tensor].append(edge)
    for (tail, _), group in by_tensor.items():
        here = laying.above.get(tail, ())
        # Inside the clusters that also hold the maker, the arrows start at the maker itself.
        by_level: dict[int, list[Edge]] = defaultdict(list)
        for edge in group:
            by_level[_common([here, laying.above.get(edge.head, ())])].append(edge)
        for level, same_level in by_level.items():
            laying.lay(tail, same_level, level)
    return list(laying.junctions.values()), laying.stretches, laying.aside


class _Laying:
    """Lays arrows one tensor after the other. `above` are the clusters around each box, `chain` the arrows of the chain."""

    def __init__(self, above: dict[str, tuple[str, ...]], chain: set[Edge]) -> None:
        self.above = above
        self.chain = chain
        self.junctions: dict[str, Junction] = {}
        self.stretches: list[Stretch] = []
        self.aside: set[str] = set()

    def lay(self, tail: str, group: list[Edge], level: int) -> None:
        """Lays the arrows of one tensor from `tail`, a box or junction that lies in `level` of the clusters around them."""
        branches = self._branches(group, level)
        plain = [branch for branch in branches.values() if not all(edge.skip for edge in branch)]
        self.aside.update(list(branches)[(len(branches) + 1) // 2 :])
        for branch in branches.values():
            # Of three branches and more none is the main one: the fork stands above their middle.
            main = len(plain) < 3 and plain[:1] == [branch]
            if len(branch) == 1:
                self._end(tail, branch[0], main)
            else:
                self._fork(tail, branch, main)

    def _branches(self, group: list[Edge], level: int) -> dict[str, list[Edge]]:
        """The arrows by the next cluster that they enter; an arrow that enters none is a branch of its own."""
        branches: dict[str, list[Edge]] = {}
        for edge in group:
            around = self.above.get(edge.head, ())
            alone = f"{edge.head}\n{len(branches)}"
            branches.setdefault(around[level] if level < len(around) else alone, []).append(edge)
        return branches

    def _end(self, tail: str, edge: Edge, main: bool) -> None:
        joins = edge not in self.chain
        self.stretches.append(Stretch(tail, edge.head, edge, True, main and not joins, tail == edge.tail, joins))

    def _fork(self, tail: str, branch: list[Edge], main: bool) -> None:
        """Leads the arrows together to a junction in the innermost cluster that they all enter, and on from there."""
        labelled = next((edge for edge in branch if edge.label), branch[0])
        deepest = _common([self.above[edge.head] for edge in branch])
        cluster = self.above[branch[0].head][deepest - 1]
        key = f"fork:{cluster}:{branch[0].tensor}"
        self.junctions.setdefault(key, Junction(key, cluster, branch[0].tensor))
        self.stretches.append(Stretch(tail, key, labelled, False, main, tail == labelled.tail))
        self.lay(key, branch, deepest)


def _chain(edges: tuple[Edge, ...]) -> set[Edge]:
    """The arrows that carry the chain on into their boxes: the first that is no skip, unless three or more join."""
    plain: dict[str, list[Edge]] = defaultdict(list)
    for edge in edges:
        if not edge.skip:
            plain[edge.head].append(edge)
    return {joining[0] for joining in plain.values() if len(joining) < 3}


def _above(items: tuple[Item, ...], around: tuple[str, ...] = ()) -> dict[str, tuple[str, ...]]:
    """The keys of the clusters around each box, outermost first."""
    above: dict[str, tuple[str, ...]] = {}
    for item in items:
        if isinstance(item, Cluster):
            above |= _above(item.children, (*around, item.key))
        else:
            above[item.key] = around
    return above


def _common(paths: list[tuple[str, ...]]) -> int:
    """How many clusters the paths share."""
    count = 0
    for keys in zip(*paths, strict=False):
        if len(set(keys)) > 1:
            break
        count += 1
    return count
