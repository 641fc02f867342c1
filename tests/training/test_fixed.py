"""Guards `training/fixed.py` and `training/loop/head_learner.py`: what does not learn is computed once, and nothing changes by that."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from sklearn.datasets import load_digits

import cnndsl
from cnndsl.pipeline import load, parse_text
from cnndsl.training import train as training
from cnndsl.training.fixed import boundary
from cnndsl.training.layers import frozen
from cnndsl.training.loop import chosen
from cnndsl.training.options import Options

BODY = "input 1×8×8\nbody: [Conv3x3(8) → BN → ReLU → Dropout(0.5) → Conv3x3(8) → ReLU → Flatten]"
NETWORK = f"{BODY} → Dropout(0.3) → head: FC(10)\n"


@pytest.mark.parametrize(
    ("name", "last"), [("resnet18", "flatten"), ("squeezenet1_1", "features.12.cat"), ("googlenet", None)]
)
def test_all_that_learns_sees_the_input_through_one_node(name: str, last: str | None) -> None:
    """GoogLeNet has outputs for training alone, which are computed from what is inside it."""
    graph = load(name).graph
    assert boundary(graph, frozen(graph, [], head_only=True)) == last


def test_layers_that_silence_values_ahead_of_frozen_ones_are_still_and_the_last_one_is_not() -> None:
    graph = parse_text(NETWORK).graph
    layers = frozen(graph, [], head_only=True)
    silencing = [node.name for node in graph.nodes if node.op.word == "Dropout"]
    assert [name in layers for name in silencing] == [True, False]
    assert boundary(graph, layers) == graph[silencing[1]].inputs[0]


def test_without_frozen_layers_or_with_a_way_around_them_nothing_is_computed_once() -> None:
    graph = parse_text(NETWORK).graph
    assert boundary(graph, frozenset()) is None
    around = parse_text(
        "input 8×8×8\nadd{ body: Conv3x3(8) | late: Conv3x3(8) } → GlobalAvgPool → head: FC(10)\n"
    ).graph
    assert boundary(around, frozen(around, ["body"], head_only=False)) is None
    late = parse_text("input 8×8×8\nfirst: Conv3x3(8) → second: Conv3x3(8) → GlobalAvgPool → head: FC(10)\n").graph
    assert boundary(late, frozen(late, ["second"], head_only=False)) is None


@pytest.fixture(scope="module")
def some(tmp_path_factory: pytest.TempPathFactory) -> str:
    """240 digits."""
    digits = load_digits()
    path = tmp_path_factory.mktemp("data") / "some.npz"
    np.savez(path, images=np.rint(digits.images[:240] * (255 / 16)).astype(np.uint8), labels=digits.target[:240])
    return str(path)


def figures(data: str, folder: Path, **options: Any) -> list[dict[str, float]]:
    given = {"epochs": 3, "head_only": True, "augment": (), "lr": 0.02, **options}
    made = cnndsl.parse(NETWORK, "net.cnn").train(data, folder=folder, **given)
    return [{key: row[key] for key in ("train_loss", "val_loss", "val_accuracy")} for row in made.history]


def test_features_that_are_kept_change_nothing(some: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    passes: list[int] = []
    forward = torch.nn.Conv2d.forward

    def counted(layer: torch.nn.Conv2d, x: torch.Tensor) -> torch.Tensor:
        passes.append(len(x))
        return forward(layer, x)

    monkeypatch.setattr(torch.nn.Conv2d, "forward", counted)
    kept = figures(some, tmp_path / "kept")
    # Each of the two convolutions sees every digit once.
    assert sum(passes) == 2 * 240
    monkeypatch.setattr(chosen, "boundary", lambda *_: None)
    passes.clear()
    every = figures(some, tmp_path / "every")
    assert sum(passes) == 2 * 3 * (5 * 32 + 49)
    for one, other in zip(kept, every, strict=True):
        assert one == pytest.approx(other, rel=1e-4, abs=1e-4)
    first, second = (cnndsl.open_run(tmp_path / name).weights() for name in ("kept", "every"))
    for key in first:
        np.testing.assert_allclose(first[key], second[key], rtol=1e-3, atol=1e-4, err_msg=key)


def test_a_run_with_kept_features_goes_on_where_it_was(some: str, tmp_path: Path) -> None:
    whole = figures(some, tmp_path / "whole", schedule="constant")
    figures(some, tmp_path / "part", schedule="constant", epochs=2)
    longer = training.resume(tmp_path / "part", epochs=3)
    assert [row["val_loss"] for row in longer.history] == [row["val_loss"] for row in whole]


def test_kept_features_go_with_bfloat16_and_averaged_weights(some: str, tmp_path: Path) -> None:
    assert figures(some, tmp_path / "run", precision="bf16", ema=0.5)[-1]["val_accuracy"] > 0.2


def test_it_is_said_what_would_be_quicker(some: str, tmp_path: Path) -> None:
    said: list[str] = []
    graph = parse_text(NETWORK, "net.cnn").graph
    training.train(graph, Options(data=some, epochs=1, head_only=True), tmp_path / "run", said.append)
    assert any(line.startswith("with `--augment none` the layers up to body.") for line in said)
