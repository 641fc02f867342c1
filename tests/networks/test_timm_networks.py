"""Networks of timm that need the second edition of the language: keys, shapes, parameters and multiply-adds, to the last one."""

from __future__ import annotations

import json

import pytest

from cnndsl.ir.graph import Graph
from cnndsl.pipeline import check, load
from tests.networks.truth import HERE, PROGRAMS, Figures, digest, timm_figures

TRUTH = {name: Figures(**found) for name, found in json.loads((HERE / "truth.json").read_text("utf-8")).items()}


def figures(graph: Graph) -> Figures:
    state = {entry.key: entry.weight.shape for entry in graph.weights}
    return Figures(
        sum(entry.weight.elements for entry in graph.weights if entry.weight.trained),
        sum(node.op.macs(graph.input_types(node), node.type) for node in graph.nodes),
        len(state),
        digest(state.items()),
    )


@pytest.mark.parametrize("name", sorted(PROGRAMS))
def test_a_program_is_the_network_that_timm_has(name: str) -> None:
    assert figures(load(str(HERE / PROGRAMS[name])).graph) == TRUTH[name]


@pytest.mark.parametrize("file", sorted({program.split(":")[0] for program in PROGRAMS.values()}))
def test_nothing_in_the_programs_is_wrong(file: str) -> None:
    assert [str(found) for found in check(str(HERE / file)) if found.id not in _STRUCTURAL] == []


_STRUCTURAL = (
    "bias-before-norm",
    "even-same-window",
    "heavy-fc",
    "no-activation-between",
    "odd-channels",
    "small-receptive-field",
    "unseen-pixels",
)
"""Lints about what a network is, not about how it is written: these are what their authors made them."""


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(PROGRAMS))
def test_the_figures_are_timms(name: str) -> None:
    assert timm_figures(name) == TRUTH[name]
