"""What changed between two graphs, in one document."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import zip_longest
from typing import Literal

from cnndsl.analyses.differences.carried import carried
from cnndsl.analyses.differences.document import Difference, PortDifference, Side
from cnndsl.analyses.differences.layers import layer_differences
from cnndsl.analyses.differences.matching import match
from cnndsl.analyses.differences.text import to_text
from cnndsl.analyses.document import NetworkTime, Summary
from cnndsl.analyses.summary import summarize
from cnndsl.ir.graph import Graph

Timer = Callable[[Graph], NetworkTime]
"""How long a network takes, compiled: `latency/`."""


def difference(old: Graph, new: Graph, timer: Timer | None = None) -> Difference:
    """What changed from `old` to `new`, with `timer` also their times. It is empty for equal graphs, and its mirror image is the difference from `new` to `old`."""
    before, after = summarize(old), summarize(new)
    matching = match(old, new)
    layers, unchanged = layer_differences(old, new, matching, before, after)
    weights, key_map = carried(old, new, matching.pairs)
    ports = tuple(_ports(old, new))
    quiet = not (layers or ports) and weights.loads == "as it is"
    found = Difference(
        equal=quiet,
        old=_side(old, before, timer),
        new=_side(new, after, timer),
        ports=ports,
        layers=layers,
        unchanged=unchanged,
        weights=weights,
        key_map=key_map,
    )
    found._text = lambda: to_text(found)
    return found


def _side(graph: Graph, summary: Summary, timer: Timer | None) -> Side:
    return Side(
        model=graph.name,
        file=summary.file,
        layers=len(graph.nodes),
        totals=summary.totals,
        receptive_field=summary.receptive_field,
        latency=None if timer is None else timer(graph),
    )


def _ports(old: Graph, new: Graph) -> Iterator[PortDifference]:
    """Inputs and outputs of which no name, shape and dtype agree; of those whose names agree, both sides."""
    sides: tuple[tuple[Literal["input", "output"], Callable[[Graph], dict[str, str]]], ...]
    sides = ("input", _inputs), ("output", _outputs)
    for port, told in sides:
        before, after = told(old), told(new)
        for name in [name for name in before if name in after]:
            first, second = before.pop(name), after.pop(name)
            if first != second:
                yield PortDifference(port=port, old=first, new=second)
        for a, b in zip_longest(before.values(), after.values()):
            yield PortDifference(port=port, old=a, new=b)


def _inputs(graph: Graph) -> dict[str, str]:
    def dtype(name: str) -> str:
        return "" if name == "float32" else f" of {name}"

    return {i.name: f"{i.name} {i.type}{dtype(i.type.dtype)}" for i in graph.inputs}


def _outputs(graph: Graph) -> dict[str, str]:
    return {
        o.name: f"{o.name} {graph.types[o.node]}{' (only in training)' if o.training else ''}" for o in graph.outputs
    }
