"""Which layer of one graph is which of another: by structure where that is certain, else by name, arguments and order.

1. Layers with equal surroundings, all the way up and down, are the same, whatever they are called.
2. The others are aligned in their order, as lines of a text are, by how much they have in common.
3. What is left on both sides and agrees in word, arguments and scope has moved.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

from cnndsl.analyses.differences.meaning import Place, Structure, written_arguments
from cnndsl.ir.graph import Graph, Node

MOST_CELLS = 1_500_000
"""Pairs that an alignment looks at, about three seconds; a longer stretch is cut where names agree."""


@dataclass(frozen=True)
class Matching:
    """Names in the new graph by names in the old one; `moved` are old names of layers that stand elsewhere."""

    pairs: dict[str, str]
    moved: frozenset[str]


def match(old: Graph, new: Graph) -> Matching:
    """The matching; `match(new, old)` is its mirror image."""
    if _order(old) > _order(new):
        # Ties are broken in one direction only, so that both ways round give the same.
        mirrored = _matched(new, old)
        pairs = {b: a for a, b in mirrored.pairs.items()}
        return Matching(pairs, frozenset(mirrored.pairs[name] for name in mirrored.moved))
    return _matched(old, new)


def _order(graph: Graph) -> list[tuple[str, str, tuple[str, ...]]]:
    return [(node.name, node.op.text(), node.inputs) for node in graph.nodes]


def _matched(old: Graph, new: Graph) -> Matching:
    structure = Structure()
    first, second = structure.places(old), structure.places(new)
    pairs = _alike(old, new, first, second)
    taken = set(pairs.values())
    a = [_Layer(old, node, first[node.name]) for node in old.nodes if node.name not in pairs]
    b = [_Layer(new, node, second[node.name]) for node in new.nodes if node.name not in taken]
    pairs |= {x.name: y.name for x, y in _aligned(a, b)}
    moved = _moved(a, b, pairs)
    return Matching(pairs | moved, frozenset(moved))


def _alike(old: Graph, new: Graph, first: dict[str, Place], second: dict[str, Place]) -> dict[str, str]:
    """Layers with the same surroundings all the way; where several have, those of one name, then in order."""
    sides: list[dict[tuple[int, int], list[str]]] = []
    for graph, places in ((old, first), (new, second)):
        groups: dict[tuple[int, int], list[str]] = defaultdict(list)
        for node in graph.nodes:
            groups[places[node.name].up, places[node.name].down].append(node.name)
        sides.append(groups)
    pairs: dict[str, str] = {}
    for key, names in sides[0].items():
        others = sides[1].get(key, [])
        if len(names) != len(others):
            continue
        same = set(names) & set(others)
        pairs |= {name: name for name in same}
        pairs |= zip((n for n in names if n not in same), (n for n in others if n not in same), strict=True)
    return pairs


class _Layer:
    """What two layers are compared by."""

    def __init__(self, graph: Graph, node: Node, place: Place) -> None:
        self.name, self.word, self.category = node.name, node.op.word, node.op.category
        self.place = place
        self.arguments = written_arguments(node.op)
        self.scope, _, self.label = node.name.rpartition(".")
        self.labelled = not self.label.isdigit()
        self.weights = tuple(weight.shape for weight in graph.node_weights(node).values())
        self.type = str(node.type)


def _likeness(a: _Layer, b: _Layer) -> int:
    """How much two layers have in common; 0 for those that cannot be one."""
    named = a.name == b.name
    if a.word != b.word:
        # One layer that was put in the place of another.
        if a.category == b.category:
            return 3 + 4 * (named and a.labelled)
        return 2 if named and a.labelled else 0
    up, down = a.place.kind_up == b.place.kind_up, a.place.kind_down == b.place.kind_down
    same = a.arguments == b.arguments
    alike_named = named or (a.labelled and a.label == b.label)
    if not (alike_named or same or up or down or (a.weights and a.weights == b.weights)):
        return 0
    equal = sum(a.arguments[name] == b.arguments[name] for name in a.arguments)
    own = 6 if same else 3 * equal // max(1, len(a.arguments))
    called = (8 if a.labelled else 4) if named else 2 * alike_named + (a.scope == b.scope)
    placed = 2 * (up + down) + (a.place.up == b.place.up) + (a.place.down == b.place.down)
    return 6 + own + called + placed + 2 * (a.weights == b.weights) + (a.type == b.type)


def _aligned(a: list[_Layer], b: list[_Layer]) -> list[tuple[_Layer, _Layer]]:
    """Pairs in the order of both, with the most in common in all."""
    start = 0
    while start < min(len(a), len(b)) and _certain(a[start], b[start], "up"):
        start += 1
    end = 0
    while end < min(len(a), len(b)) - start and _certain(a[-1 - end], b[-1 - end], "down"):
        end += 1
    rest = slice(start, len(a) - end), slice(start, len(b) - end)
    found = list(zip(a[:start], b[:start], strict=True))
    for x, y in _stretches(a[rest[0]], b[rest[1]]):
        found += _table(x, y)
    return found + list(zip(a[len(a) - end :], b[len(b) - end :], strict=True))


def _certain(a: _Layer, b: _Layer, way: str) -> bool:
    return a.name == b.name and getattr(a.place, way) == getattr(b.place, way)


def _stretches(a: list[_Layer], b: list[_Layer]) -> list[tuple[list[_Layer], list[_Layer]]]:
    """Both sequences, cut at layers of one name and word where they are too long to be aligned at once."""
    if len(a) * len(b) <= MOST_CELLS:
        return [(a, b)]
    position = {layer.name: index for index, layer in enumerate(b)}
    middle = len(a) // 2
    for index in sorted(range(len(a)), key=lambda i: abs(i - middle)):
        other = position.get(a[index].name)
        if other is not None and a[index].word == b[other].word and 0 < index < len(a) - 1:
            return _stretches(a[:index], b[:other]) + _stretches(a[index:], b[other:])
    half = len(b) // 2
    return _stretches(a[:middle], b[:half]) + _stretches(a[middle:], b[half:])


def _table(a: list[_Layer], b: list[_Layer]) -> list[tuple[_Layer, _Layer]]:
    """Needleman and Wunsch's alignment, where a layer without a partner costs nothing."""
    likeness = [[_likeness(x, y) for y in b] for x in a]
    best = [[0] * (len(b) + 1)]
    for row in likeness:
        above, line = best[-1], [0]
        left = 0
        for index, value in enumerate(row):
            most = max(left, above[index + 1])
            if value and above[index] + value > most:
                most = above[index] + value
            line.append(most)
            left = most
        best.append(line)
    found = []
    i, j = len(a), len(b)
    while i and j:
        # Of equal alignments the one whose pairs come first: what was put in stands behind what it resembles.
        if best[i][j] == best[i][j - 1]:
            j -= 1
        elif best[i][j] == best[i - 1][j]:
            i -= 1
        else:
            i, j = i - 1, j - 1
            found.append((a[i], b[j]))
    return found[::-1]


def _moved(a: list[_Layer], b: list[_Layer], pairs: dict[str, str]) -> dict[str, str]:
    """Of the layers that no alignment holds, those that stand elsewhere in the other graph."""
    taken = set(pairs.values())
    waiting: dict[tuple[str, str, str], list[_Layer]] = defaultdict(list)
    for layer in b:
        if layer.name not in taken:
            waiting[_likely(layer)].append(layer)
    found = {}
    left = [layer for layer in a if layer.name not in pairs]
    # One of the same name first; then whichever comes first in the scope.
    for same_name in (True, False):
        for layer in left:
            others = waiting[_likely(layer)]
            other = next((o for o in others if o.name == layer.name), None) if same_name else next(iter(others), None)
            if layer.name not in found and other is not None:
                others.remove(other)
                found[layer.name] = other.name
    return found


def _likely(layer: _Layer) -> tuple[str, str, str]:
    return layer.word, str(layer.arguments), layer.scope
