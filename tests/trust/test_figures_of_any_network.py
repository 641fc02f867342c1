"""Random networks whose axes change, with several outputs and shared towers: every figure and warning is worked out, and no
position of the main output depends on pixels that its receptive field does not name."""

from __future__ import annotations

from random import Random

import pytest

from cnndsl.analyses.lints import lint
from cnndsl.analyses.receptive_field import Field, last_map, receptive_fields
from cnndsl.analyses.summary import summarize
from cnndsl.pipeline import parse_text
from tests.analyses.gradients import extents
from tests.trust.motifs import REARRANGED
from tests.trust.programs import network

SEEDS = 120
STATISTICS = ("GN", "IN", "GRN")
"""Layers whose statistics over all positions count for nothing in a receptive field, by convention."""
MOST_ELEMENTS = 400
"""Elements of the largest map whose every position is followed back by gradients."""


@pytest.mark.parametrize("seeds", [range(start, SEEDS, 6) for start in range(6)], ids=str)
def test_every_figure_of_a_network_whose_axes_change(seeds: range) -> None:
    for seed in seeds:
        text = network(Random(seed), REARRANGED)
        graph = parse_text(text).graph
        summary = summarize(graph)
        lint(graph)
        whole = min((min(given.shape[1:]) for given in summary.inputs if given.shape[1:]), default=0)
        seen = summary.receptive_field
        assert seen is None or seen.state != "global" or min(seen.size) >= whole, text
        found = last_map(graph, receptive_fields(graph, strict=True))
        plain = not any(node.op.word in STATISTICS for node in graph.nodes)
        if found and plain and found[0] in {node.name for node in graph.nodes} and len(graph.inputs) == 1:
            node, field = graph[found[0]], found[1]
            first = node.type.channel_axis == 0
            if first and node.type.elements <= MOST_ELEMENTS and node.type.rank == len(field.views):
                _holds(text, field, extents(graph, node.name))


def _holds(text: str, field: Field, measured: dict[tuple[int, ...], tuple[tuple[int, int], ...]]) -> None:
    for position, axes in measured.items():
        for o, (first, last), view in zip(position, axes, field.views, strict=True):
            assert view.first + view.stride * o <= first, text
            assert last <= view.last + view.stride * o, text


def test_the_networks_are_of_every_shape() -> None:
    texts = [network(Random(seed), REARRANGED) for seed in range(SEEDS)]
    for element in ("Reshape", "Attention", "matmul", "tower }", "output", "Permute", "GlobalAvgPool"):
        assert sum(element in text for text in texts) >= 3, element
