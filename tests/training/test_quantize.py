"""Guards `train --quantize`: the last epochs round as packages of whole numbers do, and what was examined is what is saved."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import cnndsl
from cnndsl.arrays.drawn import drawn_inputs, drawn_weights
from cnndsl.calibration.on_reals.fake_quantized import FakeQuantized
from cnndsl.calibration.reference import to_torch
from cnndsl.cli import run
from cnndsl.diagnostics.errors import CnnError
from cnndsl.quantization.file import read_quantization
from cnndsl.training.run import LAST, open_run
from cnndsl.training.train import Trained, resume
from cnndsl.training.trained.recogniser import Recogniser
from tests.backends.tvm.quantized.networks import NETWORKS

pytestmark = pytest.mark.tvm
NETWORK = "input 1×8×8\nconv: Conv3x3(12) → BN → ReLU → DWConv3x3 → BN → SiLU → MaxPool → Flatten → fc: FC(10)\n"
QUICK: dict[str, Any] = {"epochs": 3, "quantize": 2, "warmup": 0.5, "lr": 0.01, "augment": ()}


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Trained:
    return cnndsl.parse(NETWORK, "small.cnn").train(folder=tmp_path_factory.mktemp("runs") / "small", **QUICK)


def test_the_package_answers_as_the_evaluation_in_training_said(
    trained: Trained, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert trained.quantized is not None
    assert trained.quantized["epoch"] in (2, 3)
    assert trained.best["epoch"] == 1
    assert (
        run(["compile", str(trained.run.folder), "--to", "tvm", "--precision", "int8", "-o", str(tmp_path / "p")]) == 0
    )
    package = cnndsl.load_package(tmp_path / "p")
    data = cnndsl.find_data("digits")
    _, held_out = data.parts(0.2, 0)
    x = data.read((1, 8, 8))[held_out].astype(np.float32) / 255
    right = np.mean(np.concatenate([package(x[i : i + 1]) for i in range(len(x))]).argmax(1) == data.labels[held_out])
    assert right == pytest.approx(trained.quantized["val_accuracy"])
    assert right > 0.8
    capsys.readouterr()
    assert run(["evaluate", str(trained.run.folder), "--quantized", str(trained.run.quantized)]) == 0
    assert f"quantised {right:.2%}" in capsys.readouterr().out


def test_the_weights_in_float32_stay_beside_it(trained: Trained) -> None:
    again = open_run(trained.run.folder)
    best, last = again.weights(), again.weights(LAST)
    assert all(np.array_equal(best[key], last[key]) for key in best)
    found = Recogniser.of_run(again).evaluate("digits", (0.2, 0))
    assert found.accuracy == pytest.approx(trained.best["val_accuracy"])


@pytest.mark.parametrize(
    "name", ["sound", *(pytest.param(n, marks=pytest.mark.slow) for n in NETWORKS if n != "sound")]
)
def test_what_is_learnt_computes_what_is_saved(name: str) -> None:
    graph = cnndsl.parse(NETWORKS[name], name).graph
    weights, inputs = drawn_weights(graph, 0), [torch.from_numpy(x) for x in drawn_inputs(graph, 0).values()]
    fake = FakeQuantized(graph, weights)
    fake.observe([torch.cat(inputs)])
    learnt, saved = fake(*inputs), to_torch(graph, fake.quantization(weights, {}))(*inputs)
    for key in learnt if isinstance(learnt, dict) else [None]:
        a, b = (learnt, saved) if key is None else (learnt[key], saved[key])
        # In float32 a number beside the middle of two whole ones may become the other.
        assert float((a - b).detach().abs().max()) <= 0.5 * float(np.ptp(b.numpy())) / 255
    values = learnt.values() if isinstance(learnt, dict) else [learnt]
    sum(value.square().sum() for value in values).backward()
    assert all(bool(weight.grad.abs().max() > 0) for _, weight in fake.learning())


@pytest.mark.slow
def test_a_run_that_was_stopped_goes_on_to_the_same_network(
    trained: Trained, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from cnndsl.training.loop.quantizing_learner import QuantizingLearner

    before = QuantizingLearner.on_validation_epoch_start

    def stop(self: QuantizingLearner) -> None:
        if self.current_epoch == 2:
            raise RuntimeError("stopped")
        before(self)

    with monkeypatch.context() as patched:
        patched.setattr(QuantizingLearner, "on_validation_epoch_start", stop)
        with pytest.raises(RuntimeError, match="stopped"):
            cnndsl.parse(NETWORK, "small.cnn").train(folder=tmp_path / "r", **QUICK)
    again = resume(tmp_path / "r")
    assert again.quantized is not None
    assert again.run.quantized is not None
    assert trained.run.quantized is not None
    one, other = read_quantization(again.run.quantized), read_quantization(trained.run.quantized)
    assert one.maps == other.maps
    assert all(np.array_equal(one.weights[name].numbers, other.weights[name].numbers) for name in other.weights)
    with pytest.raises(CnnError, match="nothing follows them"):
        resume(tmp_path / "r", epochs=5)


@pytest.mark.slow
def test_all_epochs_may_round_where_weights_are_given(trained: Trained, tmp_path: Path) -> None:
    options = QUICK | {"epochs": 1, "quantize": 1, "init": str(trained.run.best), "freeze": ("conv",)}
    found = cnndsl.parse(NETWORK, "small.cnn").train(folder=tmp_path / "r", **options)
    assert found.best == found.quantized
    assert found.run.quantized is not None
    given, kept = trained.run.weights(), found.run.weights()
    assert all(np.array_equal(given[key], kept[key]) for key in given)


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"quantize": 4}, "last 4 epochs"),
        ({"ema": 0.9}, "`ema`"),
        ({"precision": "bf16"}, "`precision`"),
        ({"early_stop": 2}, "`early-stop`"),
    ],
)
def test_what_does_not_go_together_is_refused_before_anything_is_written(
    options: dict[str, Any], told: str, tmp_path: Path
) -> None:
    with pytest.raises(CnnError, match=told):
        cnndsl.parse(NETWORK).train(folder=tmp_path / "r", **(QUICK | options))
    assert not (tmp_path / "r").exists()
