"""What a layer means, however it is written: `Conv3x3(64)` after 64 channels and `Conv3(window …)` may be one and the same.

`structure` numbers the layers of graphs by what they compute and what is computed from them, so that equal numbers mean equal
surroundings, whatever the names.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from cnndsl.ir.graph import Graph, Node
from cnndsl.ir.op import Op
from cnndsl.ir.written import brief

AXES = frozenset({"window", "stride", "dilation", "output_pad", "scale", "size", "mean", "std"})
"""Arguments in which one number stands for the same number on every axis."""
WIDTHS = frozenset({"channels", "units"})
"""Arguments that are the width of what arrives where they are left out."""


def written_arguments(op: Op) -> dict[str, Any]:
    """A layer's arguments by name, as they are written or implied: what one finds in the text."""
    return {name: _plain(name, getattr(op, name)) for name in type(op).model_fields}


def meant_arguments(graph: Graph, node: Node) -> dict[str, Any]:
    """The same with what is left open filled in: padding as rows, the width that follows from what arrives."""
    found = written_arguments(node.op)
    xs = graph.input_types(node)
    if "window" in found and xs and (window := node.op.window_over(xs[0])):
        found |= {
            "window": _plain("window", window.kernel),
            "stride": _plain("stride", window.stride),
            "dilation": _plain("dilation", window.dilation),
            "pad": (window.before, window.after),
        }
    for name in WIDTHS & found.keys():
        found[name] = node.type.channels if found[name] is None else found[name]
    if found.get("like") is not None:
        # The size of another tensor: where that has changed, it is told there.
        found["like"] = True
    return found


def changed_arguments(old: Graph, a: Node, new: Graph, b: Node) -> Iterator[tuple[str, str, str]]:
    """The arguments of two layers of one word that differ, in the text and in what is meant, each as it is written."""
    before, after = written_arguments(a.op), written_arguments(b.op)
    meant_before, meant_after = meant_arguments(old, a), meant_arguments(new, b)
    for name in before:
        if before[name] == after[name] or meant_before.get(name) == meant_after.get(name):
            continue
        sides = (meant_before, meant_after) if name in WIDTHS else (before, after)
        yield name, _shown(sides[0][name]), _shown(sides[1][name])


def _shown(value: Any) -> str:
    # A text among a layer's arguments is one of the bare words that the argument knows.
    return value if isinstance(value, str) else brief(value)


def _plain(name: str, value: Any) -> Any:
    return value[0] if name in AXES and isinstance(value, tuple) and value and len(set(value)) == 1 else value


class Place(NamedTuple):
    """Where a layer stands: numbers for what it is computed from and for what is computed from it. `kind_up` and `kind_down` know
    only the words of the layers, and not their arguments and shapes."""

    up: int
    down: int
    kind_up: int
    kind_down: int


class Structure:
    """Numbers for surroundings. Those of several graphs can be compared where one object gave them."""

    def __init__(self) -> None:
        self._numbers: dict[object, int] = {}

    def _number(self, key: object) -> int:
        return self._numbers.setdefault(key, len(self._numbers))

    def places(self, graph: Graph) -> dict[str, Place]:
        """The place of every layer, by its name."""
        exact = {node.name: (node.op.word, _all_of(graph, node)) for node in graph.nodes}
        kinds: dict[str, object] = {node.name: node.op.word for node in graph.nodes}
        found = [
            numbers for keys in (exact, kinds) for numbers in (self._upwards(graph, keys), self._downwards(graph, keys))
        ]
        return {node.name: Place(*(numbers[node.name] for numbers in found)) for node in graph.nodes}

    def _upwards(self, graph: Graph, keys: dict[str, Any]) -> dict[str, int]:
        kinds = next(iter(keys.values()), "").__class__ is str
        up = {
            given.name: self._number(("input", index, "" if kinds else str(given.type), given.type.dtype))
            for index, given in enumerate(graph.inputs)
        }
        for node in graph.nodes:
            read = [up[name] for name in node.reads]
            owner = "" if node.owns_weights else up.get(node.weights_of, "later")
            up[node.name] = self._number(
                ("up", keys[node.name], owner, tuple(sorted(read) if commutes(node) else read))
            )
        return up

    def _downwards(self, graph: Graph, keys: dict[str, Any]) -> dict[str, int]:
        below: dict[str, list[tuple[int, int]]] = {node.name: [] for node in graph.nodes}
        below |= {given.name: [] for given in graph.inputs}
        for index, output in enumerate(graph.outputs):
            below[output.node].append((-2, self._number(("output", index, output.training))))
        down: dict[str, int] = {}
        for node in reversed(graph.nodes):
            number = down[node.name] = self._number(("down", keys[node.name], tuple(sorted(below[node.name]))))
            for position, name in enumerate(node.reads):
                below[name].append((-1 if commutes(node) else position, number))
        return down


def commutes(node: Node) -> bool:
    """Whether the order of what it joins means nothing."""
    return node.op.combines in ("add", "mul", "max", "min", "mean") and node.op.is_plain


def _all_of(graph: Graph, node: Node) -> str:
    return f"{meant_arguments(graph, node)} {node.type} {node.type.dtype}"
