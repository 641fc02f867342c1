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
    """A stretch of an arrow between two keys, some of which may be junctions; `edge` is the arrow whose end it is.

    `main` says that the stretch carries on the chain, as opposed to branching off or joining from the side; `labelled`
    that it is the stretch to write the tensor's shape on; `joins` that it ends a side branch.
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

    Also the clusters that an arrow enters from the left, where their heading should make room.
    """
    above = _above(items)
    junctions: list[Junction] = []
    made: list[Stretch] = []
    joined, aside = set[str](), set[str]()
    by_tensor: dict[tuple[str, str], list[Edge]] = defaultdict(list)
    for edge in edges:
        by_tensor[edge.tail, edge.tensor].append(edge)
    chain = _chain(edges)

    def lay(tail: str, group: list[Edge], level: int) -> None:
        """Lays the arrows of one tensor from `tail`, a box or junction; `level` counts the clusters around it that matter."""
        branches: dict[str, list[Edge]] = {}
        for edge in group:
            around = above.get(edge.head, ())
            branches.setdefault(
                around[level] if level < len(around) else edge.head + "\n" + str(len(branches)), []
            ).append(edge)
        plain = [branch for branch in branches.values() if not all(edge.skip for edge in branch)]
        aside.update(list(branches)[(len(branches) + 1) // 2 :])
        for branch in branches.values():
            # Of three branches and more none is the main one: the fork stands above their middle.
            main = len(plain) < 3 and plain[:1] == [branch]
            if len(branch) == 1:
                edge = branch[0]
                joins = edge not in chain
                made.append(Stretch(tail, edge.head, edge, True, main and not joins, tail == edge.tail, joins))
                continue
            said = next((edge for edge in branch if edge.label), branch[0])
            deepest = _common([above[edge.head] for edge in branch])
            cluster = above[branch[0].head][deepest - 1]
            key = f"fork:{cluster}:{branch[0].tensor}"
            if key not in joined:
                joined.add(key)
                junctions.append(Junction(key, cluster, branch[0].tensor))
            made.append(Stretch(tail, key, said, False, main, tail == said.tail))
            lay(key, branch, deepest)

    for (tail, _), group in by_tensor.items():
        here = above.get(tail, ())
        # Inside the clusters that also hold the maker, the arrows start at the maker itself.
        within: dict[int, list[Edge]] = defaultdict(list)
        for edge in group:
            within[_common([here, above.get(edge.head, ())])].append(edge)
        for level, some in within.items():
            lay(tail, some, level)
    return junctions, made, aside


def _chain(edges: tuple[Edge, ...]) -> set[Edge]:
    """The arrows that carry the chain on into their boxes: the first that is no skip, unless three or more join."""
    plain: dict[str, list[Edge]] = defaultdict(list)
    for edge in edges:
        if not edge.skip:
            plain[edge.head].append(edge)
    return {joining[0] for joining in plain.values() if len(joining) < 3}


def _above(items: tuple[Item, ...], around: tuple[str, ...] = ()) -> dict[str, tuple[str, ...]]:
    """The keys of the clusters around each box, outermost first."""
    found: dict[str, tuple[str, ...]] = {}
    for item in items:
        if isinstance(item, Cluster):
            found |= _above(item.children, (*around, item.key))
        else:
            found[item.key] = around
    return found


def _common(paths: list[tuple[str, ...]]) -> int:
    """How many clusters the paths share."""
    count = 0
    for keys in zip(*paths, strict=False):
        if len(set(keys)) > 1:
            break
        count += 1
    return count
