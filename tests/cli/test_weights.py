"""Guards `cli/weights.py`. `weights check`: matching keys are counted, the others explained."""

from __future__ import annotations

from pathlib import Path

import pytest

from cnndsl.arrays.weights import initial_weights, write_weights
from cnndsl.cli import run
from cnndsl.pipeline import load


def test_matching_weights_are_counted(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_weights(tmp_path / "w.safetensors", initial_weights(load("lenet5").graph, 0))
    assert run(["weights", "check", "lenet5", str(tmp_path / "w.safetensors")]) == 0
    assert capsys.readouterr().out == "10 of 10 keys match, 10 in w.safetensors\n"


def test_other_weights_are_explained(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arrays = dict(initial_weights(load("lenet5").graph, 0))
    arrays["classifier.fc3.weigth"] = arrays.pop("classifier.fc3.weight")
    arrays["features.conv1.weight"] = arrays["features.conv1.weight"][:3]
    write_weights(tmp_path / "w.safetensors", arrays)
    assert run(["weights", "check", "lenet5", str(tmp_path / "w.safetensors")]) == 1
    captured = capsys.readouterr()
    assert captured.out == "8 of 10 keys match, 10 in w.safetensors\n"
    for id in ("missing-weight", "unexpected-weight", "weight-mismatch"):
        assert f"error[{id}]" in captured.err
