"""Guards `training/layers.py`: what a file of weights gives, what stays as it is, and at which rate the rest learns."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from cnndsl.arrays.weights import initial_weights, write_weights
from cnndsl.backends.pytorch.live.module import to_torch
from cnndsl.diagnostics.errors import CnnError
from cnndsl.pipeline import load
from cnndsl.training.layers import beginning, frozen, head
from cnndsl.training.loop.optimizer import optimizer, rate
from cnndsl.training.options import Options


def test_a_new_head_is_expected_and_told(tmp_path: Path) -> None:
    arrays = dict(initial_weights(load("resnet18").graph, 0))
    arrays["more"] = np.zeros(1, np.float32)
    del arrays["layer4.1.bn2.weight"]
    write_weights(tmp_path / "w.safetensors", arrays)
    found = beginning(load("resnet18", {"classes": 10}).graph, tmp_path / "w.safetensors")
    assert found.lines() == [
        "w.safetensors: 119 of the network's 122 weights",
        "  layer4.1.bn2.weight begins anew: the file has no such key",
        "  fc.weight begins anew: it is 10×512 here and 1000×512 there",
        "  fc.bias begins anew: it is 10 here and 1000 there",
        "  not taken, the network has no such key: more",
    ]


def test_a_pth_file_is_read_safely(tmp_path: Path) -> None:
    torch.save(to_torch(load("lenet5").graph).state_dict(), tmp_path / "w.pth")
    assert len(beginning(load("lenet5").graph, tmp_path / "w.pth").loaded) == 10


def test_weights_of_another_network_are_refused(tmp_path: Path) -> None:
    write_weights(tmp_path / "w.safetensors", initial_weights(load("lenet5").graph, 0))
    with pytest.raises(CnnError, match="none of the 10 weights"):
        beginning(load("resnet18").graph, tmp_path / "w.safetensors")


@pytest.mark.parametrize(
    ("name", "last"),
    [("lenet5", "classifier.fc3"), ("resnet18", "fc"), ("googlenet", "fc"), ("squeezenet1_1", "classifier.1")],
)
def test_the_head_is_the_last_layer_with_weights(name: str, last: str) -> None:
    assert head(load(name).graph) == last


def test_layers_are_frozen_by_pattern() -> None:
    graph = load("resnet18").graph
    one = frozen(graph, ["layer1.*"], head_only=False)
    assert one == frozen(graph, ["layer1"], head_only=False)
    assert one == {f"layer1.{block}.{kind}{n}" for block in (0, 1) for kind in ("conv", "bn") for n in (1, 2)}
    assert frozen(graph, ["*.bn?", "bn1"], head_only=False) == {
        entry.node for entry in graph.weights if ".bn" in entry.node or entry.node == "bn1"
    }
    assert {entry.node for entry in graph.weights} - frozen(graph, [], head_only=True) == {"fc"}


def test_patterns_that_match_nothing_and_patterns_that_match_all() -> None:
    graph = load("resnet18").graph
    with pytest.raises(CnnError, match="no-such-layer") as error:
        frozen(graph, ["layr1.*"], head_only=False)
    assert error.value.diagnostics[0].help == "did you mean `layer1`?"
    with pytest.raises(CnnError, match="nothing-to-train"):
        frozen(graph, ["*"], head_only=False)


def test_groups_of_weights() -> None:
    network = to_torch(load("resnet18").graph)
    options = Options(optimizer="sgd", lr=0.1, backbone_lr=0.001, weight_decay=0.5)
    old = {name for name, _ in network.named_parameters()} - {"fc.weight", "fc.bias"}
    network.conv1.weight.requires_grad_(False)
    made = optimizer(network.named_parameters(), options, old)
    found = {(g["lr"], g["weight_decay"]): len(g["params"]) for g in made.param_groups}
    # 20 convolutions but the frozen one, a scale and a shift of 20 norms; the new layer's matrix and bias.
    assert found == {(0.001, 0.5): 19, (0.001, 0.0): 40, (0.1, 0.5): 1, (0.1, 0.0): 1}


@pytest.mark.parametrize("schedule", ["cosine", "step", "constant"])
def test_the_rate_rises_and_then_falls_as_torchs_own_schedules_do(schedule: str) -> None:
    steps, epochs = 6, 10
    options = Options(schedule=schedule, warmup=1, epochs=epochs)  # type: ignore[arg-type]
    share = rate(options, steps)
    assert [share(step) for step in range(6)] == pytest.approx([(step + 1) / 7 for step in range(6)])
    weight = torch.nn.Parameter(torch.zeros(1))
    made = torch.optim.SGD([weight], lr=1.0)
    total = epochs * steps - steps
    theirs = {
        "cosine": torch.optim.lr_scheduler.CosineAnnealingLR(made, total),
        "step": torch.optim.lr_scheduler.StepLR(made, total // 3),
        "constant": torch.optim.lr_scheduler.ConstantLR(made, 1),
    }[schedule]
    for group in made.param_groups:
        group["lr"] = 1.0
    for step in range(steps, epochs * steps):
        assert share(step) == pytest.approx(made.param_groups[0]["lr"], abs=1e-6)
        made.step()
        theirs.step()
