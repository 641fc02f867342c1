"""Guards `architectures/`. The built-in networks against published figures: every weight, every shape, every count."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from cnndsl import pipeline
from cnndsl.analyses.summary import summarize
from cnndsl.ir.graph import Graph
from tests.shelf import networks

TRUTH = Path(__file__).parents[1] / "truth"
NAMES = sorted(path.stem for path in TRUTH.glob("*.json"))

MODULES = {
    "AdaptiveAvgPool": "AdaptiveAvgPool2d",
    "AvgPool": "AvgPool2d",
    "DropPath": "StochasticDepth",
    "Dropout": "Dropout",
    "GELU": "GELU",
    "GlobalAvgPool": "AdaptiveAvgPool2d",
    "HardSigmoid": "Hardsigmoid",
    "HardSwish": "Hardswish",
    "MaxPool": "MaxPool2d",
    "Permute": "Permute",
    "ReLU": "ReLU",
    "ReLU6": "ReLU6",
    "SiLU": "SiLU",
    "Sigmoid": "Sigmoid",
}
"""Our words for their layers without weights."""

UNLISTED = {"Attention", "ClassToken", "LayerScale", "PosEmbed"}
"""Layers with weights that are no modules of theirs, or one whose output is no single tensor."""

FUNCTIONS = {
    "densenet": {"ReLU": 1, "AdaptiveAvgPool2d": 1},
    "googlenet": {"ReLU": 57},
    "inception": {"ReLU": 94, "MaxPool2d": 2, "AvgPool2d": 9},
    "mobilenet_v2": {"AdaptiveAvgPool2d": 1},
}
"""How many of them a family calls as functions, which are no modules and so not listed."""

SETTINGS: dict[str, dict[str, object]] = {
    "fcn_resnet50": {"aux_loss": False},
    "deeplabv3_resnet50": {"aux_loss": False},
    "efficientnet_b1": {"size": 224},
    "efficientnet_b2": {"size": 224},
}
"""The parameters with which the figures were taken, where they are not the default."""


@pytest.fixture(params=NAMES)
def truth(request: pytest.FixtureRequest) -> Any:
    return json.loads((TRUTH / f"{request.param}.json").read_text(encoding="utf-8"))


def network(truth: Any) -> Graph:
    """`googlenet__no_aux` is `googlenet -P aux=false`."""
    name, _, without = truth["name"].partition("__no_")
    return pipeline.load(name, {without: False} if without else SETTINGS.get(name, {})).graph


def test_weights_have_the_published_names_order_and_shapes(truth: Any) -> None:
    graph = network(truth)
    ours = [[e.key, list(e.weight.shape), "param" if e.weight.trained else "buffer"] for e in graph.weights]
    assert ours == truth["weights"]


def test_totals_equal_the_published_ones(truth: Any) -> None:
    totals = summarize(network(truth)).totals
    assert (totals.params, totals.buffers, totals.macs) == (truth["params"], truth["buffers"], truth["macs"])
    assert totals.trainable == truth["params"]


def test_every_layer_has_the_published_shape(truth: Any) -> None:
    """Layers with weights by their names; the others in order, as several of theirs may share one module."""
    graph = network(truth)
    weighted = {name: shape for name, _, shape, params in truth["layers"] if params}
    listed = [n for n in graph.nodes if graph.node_weights(n) and n.op.word not in UNLISTED]
    assert {n.name: list(n.type.shape) for n in listed} == weighted
    layers = [(kind.replace("3d", "2d"), shape) for _, kind, shape, _ in truth["layers"]]
    theirs = [layer for layer in layers if layer[0] in MODULES.values()]
    ours = [(MODULES[n.op.word], list(n.type.shape)) for n in graph.nodes if n.op.word in MODULES]
    functions = next((calls for family, calls in FUNCTIONS.items() if truth["name"].startswith(family)), {})
    assert Counter(kind for kind, _ in ours) == Counter(kind for kind, _ in theirs) + Counter(functions)
    rest = iter(ours)
    assert [layer for layer in theirs if layer not in rest] == []
    outputs = {o.name: [1, *graph.types[o.node].shape] for o in graph.outputs}
    assert truth["output"] in (outputs, *(shape[1:] for shape in outputs.values()))


def test_receptive_field_equals_the_extent_of_a_gradient(truth: Any) -> None:
    if "receptive_field" not in truth:
        pytest.skip("no receptive field was measured for this one")
    field = summarize(network(truth)).receptive_field
    assert field is not None
    measured = truth["receptive_field"]
    assert field.size == (measured["size"],) * 2
    assert field.stride == (measured["stride"],) * 2
    assert field.start == (-measured["padding"],) * 2
    assert field.state == "exact"


@pytest.mark.parametrize("name", networks())
def test_every_built_in_network_loads_without_a_warning(name: str) -> None:
    loaded = pipeline.load(name)
    assert loaded.warnings == ()
    assert loaded.graph.name == name
    assert type(loaded.graph).model_validate_json(loaded.graph.model_dump_json()) == loaded.graph
