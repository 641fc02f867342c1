"""The data of advice on a network's page: what `summary --advise` says."""

from __future__ import annotations

from typing import Any

from cnndsl.advice import NOTHING, Advice, heaviest
from cnndsl.analyses.document import Summary
from cnndsl.ir.graph import Graph


def advised(graph: Graph, summary: Summary, found: list[Advice] | None) -> dict[str, Any]:
    """`shares`, of each figure the layers that have the most of it; and `changes` that were tried, each with the layer that it changes,
    both by the layer's number in the page's `layers`. `nothing` says that none gains enough; `changes` are None of a network that is no
    program of ours."""
    numbers = {node.name: number for number, node in enumerate(graph.nodes)}
    return {
        "shares": [
            [figure, [[numbers[name], f"{100 * part:.0f} %"] for name, part in parts]]
            for figure, parts in heaviest(summary).items()
        ],
        "changes": None if found is None else [_change(graph, advice) for advice in found],
        "nothing": NOTHING,
    }


def _change(graph: Graph, advice: Advice) -> dict[str, Any]:
    place = advice.span.place
    written = (number for number, node in enumerate(graph.nodes) if node.place == place)
    return {
        "kind": advice.kind,
        "layer": next(written, None),
        "at": f"{place.file}:{place.line}:{place.column}",
        "old": advice.span.text,
        "new": advice.text,
        "figures": advice.figures,
    }
