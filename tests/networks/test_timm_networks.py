"""Networks of timm that need the second edition of the language: keys, shapes, parameters and multiply-adds, to the last one, and outputs."""

from __future__ import annotations

import json

import pytest

from cnndsl.backends.pytorch.live.module import to_torch
from cnndsl.ir.graph import Graph
from cnndsl.pipeline import check, load
from tests.networks.truth import HERE, PROGRAMS, Figures, digest, timm_figures, timm_network

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


QUICK = "efficientvit_m0"
"""The smallest: its outputs are compared in the quick tests."""


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=() if name == QUICK else pytest.mark.slow) for name in sorted(PROGRAMS)]
)
def test_with_timms_weights_the_outputs_are_timms(name: str) -> None:
    import torch

    torch.manual_seed(0)
    theirs = timm_network(name)
    with torch.no_grad():
        for weight in theirs.parameters():
            if weight.min() == weight.max():
                # What begins as one number everywhere, or as next to nothing, would hide what stands before it.
                weight += torch.rand_like(weight) - 0.5
        for key, buffer in theirs.named_buffers():
            # Statistics as training leaves them.
            if key.endswith("running_mean"):
                buffer.normal_(0, 0.1)
            if key.endswith("running_var"):
                buffer.uniform_(0.5, 1.5)
    ours = to_torch(load(str(HERE / PROGRAMS[name])).graph).eval()
    ours.load_state_dict(theirs.state_dict(), strict=True)
    x = torch.randn(1, *theirs.default_cfg["input_size"])
    with torch.no_grad():
        expected, found = theirs(x), ours(x)
    assert found.shape == expected.shape
    assert ((found - expected).abs().max() / expected.abs().max()).item() <= 1e-5
