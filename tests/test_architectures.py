"""The built-in networks against published figures: every weight, every shape, every count."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from cnndsl import pipeline, shelf
from cnndsl.analyses.summary import summarize

TRUTH = Path(__file__).parent / "truth"
NAMES = sorted(path.stem for path in TRUTH.glob("*.json"))


@pytest.fixture(params=NAMES)
def truth(request: pytest.FixtureRequest) -> Any:
    return json.loads((TRUTH / f"{request.param}.json").read_text(encoding="utf-8"))


def test_weights_have_the_published_names_order_and_shapes(truth: Any) -> None:
    graph = pipeline.load(truth["name"]).graph
    ours = [[e.key, list(e.weight.shape), "param" if e.weight.trained else "buffer"] for e in graph.weights]
    assert ours == truth["weights"]


def test_totals_equal_the_published_ones(truth: Any) -> None:
    totals = summarize(pipeline.load(truth["name"]).graph).totals
    assert (totals.params, totals.buffers, totals.macs) == (truth["params"], truth["buffers"], truth["macs"])
    assert totals.trainable == truth["params"]


def test_every_layer_has_the_published_shape(truth: Any) -> None:
    """Layers with weights by their names; the others in order, as several of theirs may share one module."""
    graph = pipeline.load(truth["name"]).graph
    weighted = {name: shape for name, _, shape, params in truth["layers"] if params}
    assert {n.name: list(n.type.shape) for n in graph.nodes if graph.node_weights(n)} == weighted
    kinds = {"ReLU": "ReLU", "MaxPool2d": "MaxPool", "Dropout": "Dropout"}
    theirs = [(kinds[kind], shape) for _, kind, shape, _ in truth["layers"] if kind in kinds]
    assert [(n.op.word, list(n.type.shape)) for n in graph.nodes if n.op.word in kinds.values()] == theirs
    assert list(graph.types[graph.outputs[0].node].shape) == truth["output"]


def test_receptive_field_equals_the_extent_of_a_gradient(truth: Any) -> None:
    if "receptive_field" not in truth:
        pytest.skip("no receptive field was measured for this one")
    field = summarize(pipeline.load(truth["name"]).graph).receptive_field
    assert field is not None
    measured = truth["receptive_field"]
    assert field.size == (measured["size"],) * 2
    assert field.stride == (measured["stride"],) * 2
    assert field.start == (-measured["padding"],) * 2
    assert field.state == "exact"


@pytest.mark.parametrize("name", shelf.architectures())
def test_every_built_in_network_loads_without_a_warning(name: str) -> None:
    loaded = pipeline.load(name)
    assert loaded.warnings == ()
    assert loaded.graph.name == name
    assert type(loaded.graph).model_validate_json(loaded.graph.model_dump_json()) == loaded.graph
