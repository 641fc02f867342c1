"""Programs as the tests of the front end read them: nodes in a line each, keys, and where errors point."""

from __future__ import annotations

from typing import Any

from cnndsl.diagnostics.errors import CnnError
from cnndsl.ir.graph import Graph
from cnndsl.pipeline import parse_text


def net(text: str, **parameters: Any) -> Graph:
    """The graph of a text."""
    return parse_text(text, parameters=parameters).graph


def listing(text: str, **parameters: Any) -> list[str]:
    """Every node: `name Word shape < inputs`."""
    return [f"{n.name} {n.op.word} {n.type} < {' '.join(n.inputs)}" for n in net(text, **parameters).nodes]


def names(text: str, **parameters: Any) -> list[str]:
    """Every node: its name and word."""
    return [f"{n.name} {n.op.word}" for n in net(text, **parameters).nodes]


def words(text: str, **parameters: Any) -> str:
    """The words of all nodes in order."""
    return " ".join(n.op.word for n in net(text, **parameters).nodes)


def weights(text: str, **parameters: Any) -> dict[str, str]:
    """Shapes of the trained weights by key, biases left out: what tells a network's structure."""
    entries = net(text, **parameters).weights
    return {e.key: "×".join(map(str, e.weight.shape)) for e in entries if e.weight.trained and e.slot != "bias"}


def keys(text: str, **parameters: Any) -> list[str]:
    """Keys of the trained weights in order."""
    return [e.key for e in net(text, **parameters).weights if e.weight.trained]


def outputs(text: str, **parameters: Any) -> list[tuple[str, str, bool]]:
    return [(o.name, o.node, o.training) for o in net(text, **parameters).outputs]


def wrong(text: str, **parameters: Any) -> list[tuple[str, int, int]]:
    """Id, line and column of each diagnostic; empty for a program that is right."""
    try:
        found = parse_text(text, parameters=parameters).warnings
    except CnnError as error:
        found = error.diagnostics
    return [(d.id, place.line, place.column) for d in found if d.span is not None and (place := d.span.place)]


def units(expression: str, before: str = "") -> int | float | str:
    """The value of an expression, as the units of an FC or the diagnostic's id."""
    try:
        graph = net(f"input 3\n{before}\nFC({expression})")
    except CnnError as error:
        return error.diagnostics[0].id
    return graph.nodes[-1].type.channels
