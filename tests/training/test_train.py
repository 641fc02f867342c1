"""Guards `training/train.py`, from end to end: what a run leaves, how it is measured, what other ways of training give."""

from __future__ import annotations

import csv
import json
import logging
import subprocess
import sys
import time
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.numpy import load_file
from sklearn.datasets import load_digits
from sklearn.metrics import accuracy_score, confusion_matrix, log_loss

import cnndsl
from cnndsl.cli import run
from cnndsl.training.options import Options
from cnndsl.training.run import graph_hash, open_run, trained_hash
from cnndsl.training.train import Trained, train
from cnndsl.training.trained.recogniser import Recogniser

ROOT = Path(__file__).resolve().parent.parent.parent
CNNDSL = [sys.executable, "-W", "error", "-m", "cnndsl"]
NETWORK = "input 1×8×8\nconv: Conv3x3(16) → BN → ReLU → Flatten → fc: FC(10)\n"
QUICK: dict[str, Any] = {"epochs": 3, "warmup": 0.5, "lr": 0.01, "augment": ()}


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Trained:
    return cnndsl.parse(NETWORK, "small.cnn").train(folder=tmp_path_factory.mktemp("runs") / "small", **QUICK)


def test_a_run_holds_everything(trained: Trained) -> None:
    folder = trained.run.folder
    names = {path.name for path in folder.iterdir() if not path.name.startswith("events.")}
    assert names == {
        "source.cnn", "graph.json", "options.toml", "run.json", "metrics.csv", "curves.svg", "best.safetensors",
        "last.safetensors", "checkpoint.safetensors",
    }  # fmt: skip
    assert (folder / "source.cnn").read_text("utf-8") == NETWORK
    graph = cnndsl.parse(NETWORK, "other.cnn").graph
    assert graph_hash(graph) == trained_hash(folder / "best.safetensors") == trained_hash(folder / "last.safetensors")
    assert graph_hash(cnndsl.parse(NETWORK.replace("16", "17")).graph) != graph_hash(graph)
    again = open_run(folder)
    assert again.graph == trained.run.graph
    assert again.options == trained.run.options
    assert again.classes == tuple("0123456789")
    assert ET.parse(folder / "curves.svg").getroot().tag.endswith("svg")
    assert trained.best["val_accuracy"] > 0.9


def test_figures_as_csv_and_for_tensorboard(trained: Trained) -> None:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    with (trained.run.folder / "metrics.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [row["epoch"] for row in rows] == ["1", "2", "3"]
    for row, figures in zip(rows, trained.history, strict=True):
        assert {name: float(value) for name, value in row.items()} == pytest.approx(figures, rel=1e-5)
        assert 0 <= figures["waiting"] < 1
    events = EventAccumulator(str(trained.run.folder)).Reload()
    said = [event.value for event in events.Scalars("val/accuracy")]
    assert said == pytest.approx([figures["val_accuracy"] for figures in trained.history])


def test_weights_are_those_of_the_module(trained: Trained) -> None:
    module = cnndsl.parse(NETWORK).to_torch()
    arrays = load_file(trained.run.folder / "best.safetensors")
    module.load_state_dict({key: torch.from_numpy(array) for key, array in arrays.items()})
    digits = load_digits()
    x = torch.from_numpy(np.rint(digits.images * 255 / 16).astype(np.float32)[:, None] / 255)
    with torch.inference_mode():
        scores = module.eval()(x).double()
    shares = scores.softmax(1).numpy()
    recogniser = Recogniser.of_run(trained.run)
    report = recogniser.evaluate("digits")
    assert report.count == 1797
    assert report.accuracy == pytest.approx(accuracy_score(digits.target, shares.argmax(1)))
    assert report.loss == pytest.approx(log_loss(digits.target, shares), rel=1e-4)
    np.testing.assert_array_equal(report.confusion, confusion_matrix(digits.target, shares.argmax(1)))
    assert report.json().keys() == {"schema", "accuracy", "top5", "loss", "count"}


def test_evaluate_measures_what_the_run_held_out(
    trained: Trained, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    picture = tmp_path / "cm.svg"
    assert run(["evaluate", str(trained.run.folder), "--format", "json", "-o", str(picture)]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["count"] == 359
    assert found["accuracy"] == pytest.approx(trained.best["val_accuracy"])
    assert found["loss"] == pytest.approx(trained.best["val_loss"], rel=1e-4)
    assert "predicted" in picture.read_text("utf-8")
    assert run(["evaluate", str(trained.run.folder)]) == 0
    assert f"{found['accuracy']:.2%} of 359 examples" in capsys.readouterr().out


def test_a_quantised_network_is_measured_beside_the_run(
    trained: Trained, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = str(tmp_path / "q.safetensors")
    assert run(["quantize", str(trained.run.folder), "-o", file, "--images", "32", "--format", "json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert (said["pictures"], said["measured"], said["held_out"]) == (32, 32, True)
    assert run(["evaluate", str(trained.run.folder), "--quantized", file, "--format", "json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["agreement"] > 0.98
    assert abs(found["quantized_accuracy"] - found["accuracy"]) < 0.02


def test_a_network_with_a_file_of_weights_is_measured_too(
    trained: Trained, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "n.cnn").write_text(NETWORK, "utf-8")
    weights = str(trained.run.folder / "best.safetensors")
    command = ["evaluate", str(tmp_path / "n.cnn"), "--weights", weights, "--data", "digits", "--format", "json"]
    assert run([*command, "--validation", "0.2"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["count"], found["accuracy"]) == (359, pytest.approx(trained.best["val_accuracy"]))
    assert run(command) == 0
    assert json.loads(capsys.readouterr().out)["count"] == 1797
    assert run(["evaluate", str(tmp_path / "n.cnn"), "--weights", weights]) == 2
    assert run(["evaluate", str(tmp_path / "n.cnn"), "--data", "digits"]) == 2
    assert run(["evaluate", str(trained.run.folder), "-o", "cm.gif"]) == 2


def test_pictures_are_recognised(trained: Trained, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    digits = load_digits()
    files = []
    for number in range(20):
        files.append(str(tmp_path / f"{number}.png"))
        Image.fromarray(np.rint(digits.images[number] * 255 / 16).astype(np.uint8)).save(files[-1])
    assert run(["predict", str(trained.run.folder), *files, "--format", "json", "--top", "2"]) == 0
    said = json.loads(capsys.readouterr().out)["predictions"]
    assert [row["image"] for row in said] == files
    best = [row["top"][0] for row in said]
    assert np.mean([int(entry["label"]) == digit for entry, digit in zip(best, digits.target[:20], strict=True)]) > 0.9
    assert all(row["top"][0]["share"] >= row["top"][1]["share"] for row in said)
    labels = tmp_path / "names.txt"
    labels.write_text("\n".join(f"digit {n}" for n in range(10)))
    assert run(["predict", str(trained.run.folder), files[0], "--labels", str(labels), "--top", "1"]) == 0
    out = capsys.readouterr().out.splitlines()
    assert out[0] == files[0]
    assert out[1].endswith("digit 0")
    labels.write_text("one")
    assert run(["predict", str(trained.run.folder), files[0], "--labels", str(labels)]) == 2


def test_weights_of_another_network_in_a_run_are_refused(trained: Trained, tmp_path: Path) -> None:
    import shutil

    folder = shutil.copytree(trained.run.folder, tmp_path / "run")
    other = cnndsl.parse(NETWORK.replace("BN → ", "")).train(folder=tmp_path / "other", **{**QUICK, "epochs": 1})
    shutil.copy(other.run.folder / "best.safetensors", folder / "best.safetensors")
    with pytest.raises(cnndsl.CnnError, match="damaged-run"):
        Recogniser.of_run(open_run(folder))
    (folder / "best.safetensors").unlink()
    with pytest.raises(cnndsl.CnnError, match="not-a-run"):
        Recogniser.of_run(open_run(folder))


def test_a_folder_that_holds_something_is_left_alone(trained: Trained) -> None:
    with pytest.raises(cnndsl.CnnError, match="run-exists"):
        train(trained.run.graph, Options(**QUICK), trained.run.folder)


def test_data_that_changed_is_told(trained: Trained, tmp_path: Path) -> None:
    from cnndsl.training.train import resume

    np.savez(tmp_path / "a.npz", x=np.zeros((20, 8, 8), np.uint8), y=np.arange(20) % 10)
    made = cnndsl.parse(NETWORK).train(str(tmp_path / "a.npz"), folder=tmp_path / "run", **{**QUICK, "epochs": 1})
    assert len(made.history) == 1
    np.savez(tmp_path / "a.npz", x=np.zeros((20, 8, 8), np.uint8), y=np.arange(20) % 9)
    with pytest.raises(cnndsl.CnnError, match="data-changed"):
        resume(tmp_path / "run")


def test_transfer_changes_only_what_is_not_frozen(trained: Trained, tmp_path: Path) -> None:
    old = load_file(trained.run.folder / "best.safetensors")
    lines: list[str] = []
    options = Options(
        **QUICK, init=str(trained.run.folder / "best.safetensors"), freeze=("conv",), head_only=False, backbone_lr=1e-4
    )
    made = train(trained.run.graph, options, tmp_path / "one", lines.append)
    assert "best.safetensors: 9 of the network's 9 weights" in lines
    new = load_file(made.run.folder / "last.safetensors")
    assert {key for key in new if np.array_equal(new[key], old[key])} == {"conv.weight", "conv.bias"}
    head = train(trained.run.graph, Options(**QUICK, init=options.init, head_only=True), tmp_path / "two", lines.append)
    new = load_file(head.run.folder / "last.safetensors")
    # The statistics of the frozen norm stay, too.
    assert {key for key in new if not np.array_equal(new[key], old[key])} == {"fc.weight", "fc.bias"}


@pytest.mark.parametrize(
    "options",
    [
        {"optimizer": "sgd", "schedule": "step", "ema": 0.9},
        {"optimizer": "adam", "schedule": "constant", "precision": "bf16", "label_smoothing": 0.1},
        {"augment": ("flip", "crop", "jitter", "mixup"), "early_stop": 1, "normalize": "imagenet"},
    ],
)
def test_every_way_learns(options: dict[str, Any], tmp_path: Path) -> None:
    made = cnndsl.parse(NETWORK).train(folder=tmp_path / "run", **{**QUICK, **options})
    assert made.history[-1]["train_loss"] < made.history[0]["train_loss"]
    assert made.best["val_accuracy"] > 0.5


def test_shares_and_outputs_that_only_training_has(tmp_path: Path) -> None:
    softmax = NETWORK.strip() + " → Softmax\n"
    made = cnndsl.parse(softmax).train(folder=tmp_path / "a", **QUICK)
    plain = cnndsl.parse(NETWORK).train(folder=tmp_path / "b", **QUICK)
    assert made.history[-1]["val_loss"] == pytest.approx(plain.history[-1]["val_loss"], rel=1e-3)
    text = """input image: 1×8×8
x = image → Conv3x3(8) → ReLU → Flatten
logits = x → fc: FC(10)
other = x → aux: FC(10)
output logits, other if training
"""
    aux = cnndsl.parse(text).train(folder=tmp_path / "c", **QUICK)
    arrays = load_file(aux.run.folder / "last.safetensors")
    assert {"fc.weight", "aux.weight"} <= arrays.keys()
    assert aux.best["val_accuracy"] > 0.9


def test_numbers_that_are_no_pictures(tmp_path: Path) -> None:
    x = np.random.default_rng(0).normal(size=(200, 6)).astype(np.float32)
    np.savez(tmp_path / "a.npz", x=x, y=(x[:, 0] > 0).astype(int))
    net = cnndsl.parse("input 6\nFC(16) → ReLU → FC(2)\n")
    assert net.train(str(tmp_path / "a.npz"), folder=tmp_path / "run", epochs=20, lr=0.02).best["val_accuracy"] > 0.9
    with pytest.raises(cnndsl.CnnError, match="wrong-option"):
        net.train(str(tmp_path / "a.npz"), augment="flip")


def test_nothing_of_what_it_stands_on_is_heard(tmp_path: Path) -> None:
    (tmp_path / "n.cnn").write_text(NETWORK, "utf-8")
    command = [*CNNDSL, "train", str(tmp_path / "n.cnn"), "--epochs", "1", "-o", str(tmp_path / "run")]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, encoding="utf-8", check=True)
    lines = done.stderr.splitlines()
    assert lines[:2] == [
        "digits: 1,438 examples to learn from, 359 held out, 10 classes",
        f"training n in {tmp_path / 'run'}",
    ]
    assert lines[2].startswith("epoch 1/1  loss ")
    assert len(lines) == 3
    assert done.stdout.startswith("best epoch 1 of 1: ")
    assert logging.getLogger("lightning.pytorch").level != logging.ERROR


@pytest.mark.slow
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_lenet5_recognises_digits(seed: int, tmp_path: Path) -> None:
    made = cnndsl.load("lenet5").train(folder=tmp_path / "run", seed=seed)
    assert made.best["val_accuracy"] >= 0.97


def test_a_run_that_diverges_is_told_and_keeps_what_was_good(tmp_path: Path) -> None:
    net = cnndsl.parse(NETWORK.replace("BN → ReLU", "ReLU → Conv3x3(16) → ReLU"))
    with pytest.raises(cnndsl.CnnError, match=r"loss-diverged.*epoch 1 "):
        net.train(folder=tmp_path / "a", **{**QUICK, "lr": 1e12, "optimizer": "sgd", "warmup": 0})
    assert not (tmp_path / "a" / "best.safetensors").exists()


def test_a_rate_for_what_was_not_loaded_is_refused(tmp_path: Path) -> None:
    with pytest.raises(cnndsl.CnnError, match="wrong-option"):
        cnndsl.parse(NETWORK).train(folder=tmp_path / "a", backbone_lr=0.1)
    assert not (tmp_path / "a").exists()


@pytest.mark.slow
def test_a_compiled_run_ends_as_another_does_and_goes_on_after_a_kill(tmp_path: Path) -> None:
    (tmp_path / "n.cnn").write_text(NETWORK, "utf-8")
    command = [*CNNDSL, "train", str(tmp_path / "n.cnn"), "--epochs", "3", "--lr", "0.01", "--augment", "none"]

    def whole(name: str, *options: str) -> list[dict[str, float]]:
        subprocess.run([*command, *options, "-o", str(tmp_path / name)], cwd=ROOT, capture_output=True, check=True)
        return figures(tmp_path / name)

    compiled = whole("compiled", "--compile")
    eager = whole("eager")
    assert compiled[-1]["val_accuracy"] == pytest.approx(eager[-1]["val_accuracy"], abs=0.02)
    for ours, theirs in zip(compiled, eager, strict=True):
        assert ours["train_loss"] == pytest.approx(theirs["train_loss"], rel=0.05)
    assert compiled[-1]["val_accuracy"] > 0.9
    trained_run = open_run(tmp_path / "compiled")
    module = cnndsl.parse(NETWORK).to_torch()
    arrays = {key: torch.tensor(array) for key, array in trained_run.weights().items()}
    assert module.load_state_dict(arrays).missing_keys == []
    report = Recogniser.of_run(trained_run).evaluate("digits", (0.2, 0))
    assert report.accuracy == pytest.approx(max(row["val_accuracy"] for row in compiled), abs=0.003)

    killed = tmp_path / "killed"
    process = subprocess.Popen([*command, "--compile", "-o", str(killed)], cwd=ROOT, stderr=subprocess.DEVNULL)
    while not (killed / "metrics.csv").is_file():
        assert process.poll() is None
        time.sleep(0.002)
    process.kill()
    process.wait()
    subprocess.run([*CNNDSL, "train", "--resume", str(killed)], cwd=ROOT, capture_output=True, check=True)
    assert [row["val_loss"] for row in figures(killed)] == pytest.approx(
        [row["val_loss"] for row in compiled], rel=1e-3
    )


def figures(folder: Path) -> list[dict[str, float]]:
    with (folder / "metrics.csv").open() as file:
        return [{name: float(value) for name, value in row.items()} for row in csv.DictReader(file)]
