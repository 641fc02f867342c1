"""Training that begins with published weights: pictures are read as theirs were, from the run into packages."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from cnndsl.cli import run
from cnndsl.training.run import open_run
from tests.published.trained import entry_of


def test_a_run_that_begins_with_published_weights_reads_pictures_as_they_were_trained(tmp_path: Path) -> None:
    entry_of("digits_3conv")
    digits = np.random.default_rng(0).integers(0, 256, (12, 28, 28), np.uint8)
    np.savez(tmp_path / "data.npz", images=digits, labels=np.arange(12) % 3, classes=np.array(["a", "b", "c"]))
    folder = tmp_path / "run"
    told = ["train", "digits_3conv", "--init", "published", "--head-only", "-P", "classes=3", "--epochs", "1"]
    assert run([*told, "--data", str(tmp_path / "data.npz"), "-o", str(folder)]) == 0
    found = open_run(folder)
    assert found.options.normalize == "published"
    assert found.use.reading == {"fit": "whole", "mean": [0.1307], "std": [0.3081]}
    assert found.use.classes == ("a", "b", "c")
    weights = found.weights()
    published = {key: value for key, value in weights.items() if not key.startswith("fc_layers.2")}
    from cnndsl import load

    first = load("digits_3conv").weights()
    assert all(np.array_equal(value, first[key]) for key, value in published.items())


@pytest.mark.tvm
def test_a_package_of_a_run_names_its_classes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from PIL import Image

    pictures = np.zeros((8, 8, 8), np.uint8)
    pictures[::2, :4] = 255
    np.savez(tmp_path / "data.npz", images=pictures, labels=np.arange(8) % 2, classes=np.array(["upper", "none"]))
    (tmp_path / "net.cnn").write_text("input 1×8×8\nConv3x3(4) → ReLU → FC(2)\n", "utf-8")
    folder, package = tmp_path / "run", tmp_path / "package"
    told = [
        "train",
        str(tmp_path / "net.cnn"),
        "--data",
        str(tmp_path / "data.npz"),
        "--augment",
        "none",
        "--epochs",
        "20",
    ]
    assert run([*told, "-o", str(folder)]) == 0
    assert run(["compile", str(folder), "--to", "tvm", "-o", str(package)]) == 0
    manifest = json.loads((package / "manifest.json").read_text("utf-8"))
    assert manifest["answer"]["classes"] == ["upper", "none"]
    assert manifest["pictures"]["fit"] == "whole"
    Image.fromarray(pictures[0]).save(tmp_path / "upper.png")
    capsys.readouterr()
    assert run(["predict", str(folder), str(tmp_path / "upper.png")]) == 0
    said = capsys.readouterr().out.splitlines()[1:]
    assert said[0].endswith("upper")
    assert run(["run", str(package), "--input", str(tmp_path / "upper.png")]) == 0
    assert [line.split() for line in capsys.readouterr().out.splitlines()] == [line.split() for line in said]


def test_normalisation_as_published_takes_published_weights(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["train", "lenet5", "--normalize", "published", "-o", str(tmp_path / "run")]) == 1
    assert "`--init published`" in capsys.readouterr().err
