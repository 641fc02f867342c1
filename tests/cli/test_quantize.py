"""`cnndsl quantize`, and the verbs that take what it writes."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest

from cnndsl import pipeline
from cnndsl.arrays.weights import initial_weights, write_weights
from cnndsl.calibration.report import QuantizationReport, schema
from cnndsl.cli import run

GOLDEN = Path(__file__).parents[1] / "golden" / "quantize.schema.json"


@pytest.fixture
def net(tmp_path: Path) -> Path:
    """A network, its weights beside it as `w.safetensors`, and examples as `x.npz`."""
    path = tmp_path / "net.cnn"
    path.write_text("input image: 2×6×6\nconv: Conv3x3(4) → ReLU → Flatten → fc: FC(3)\n", "utf-8")
    write_weights(tmp_path / "w.safetensors", initial_weights(pipeline.load(str(path)).graph, 0))
    np.savez(tmp_path / "x.npz", image=np.random.default_rng(0).random((12, 2, 6, 6), np.float32))
    return path


def quantize(net: Path, *arguments: str) -> int:
    folder = net.parent
    given = [
        "--weights",
        str(folder / "w.safetensors"),
        "--data",
        str(folder / "x.npz"),
        "-o",
        str(folder / "q.safetensors"),
    ]
    return run(["quantize", str(net), *given, *arguments])


def test_it_writes_a_file_and_says_what_it_cost(net: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert quantize(net, "--format", "json") == 0
    report = QuantizationReport.model_validate_json(capsys.readouterr().out)
    assert (report.pictures, report.measured, report.held_out) == (9, 3, True)
    assert [layer.name for layer in report.layers] == ["conv", "fc"]
    assert quantize(net, "--keep", "conv") == 0
    said = capsys.readouterr().out
    assert "float32" in said.splitlines()[1]
    assert "in float32: conv" in said
    assert run(["verify", str(net), "--precision", "int8", "--weights", str(net.parent / "q.safetensors")]) == 0
    assert "DIFFER" not in capsys.readouterr().out


def test_without_data_it_says_how_little_suffices(net: Path, capsys: pytest.CaptureFixture[str]) -> None:
    weights = str(net.parent / "w.safetensors")
    assert run(["quantize", str(net), "--weights", weights, "-o", "q.safetensors"]) == 2
    assert "8 to 64 of them suffices" in " ".join(capsys.readouterr().err.split())


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--data", "x"], "--weights"),
        (["--data", "x", "--weights", "w"], "-o quantized.safetensors"),
        (["--data", "x", "--weights", "w", "-o", "q.pth"], "q.safetensors"),
        (["--data", "x", "--weights", "w", "-o", "q"], "expected a name in .safetensors, found q"),
    ],
)
def test_what_is_missing_is_said(
    net: Path, arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["quantize", str(net), *arguments]) == 2
    assert said in " ".join(capsys.readouterr().err.split())


def test_weights_are_not_replaced_by_what_is_made_of_them(net: Path, capsys: pytest.CaptureFixture[str]) -> None:
    weights = net.parent / "w.safetensors"
    before = weights.read_bytes()
    assert run(["quantize", str(net), "--weights", str(weights), "--data", "digits", "-o", str(weights)]) == 2
    assert "is the file that is read" in " ".join(capsys.readouterr().err.split())
    assert weights.read_bytes() == before


def test_weights_belong_to_int8_alone_in_verify(net: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["verify", str(net), "--weights", "q.safetensors"]) == 2
    assert "belongs to `--precision int8`" in " ".join(capsys.readouterr().err.split())


def test_the_schema_is_the_golden_one() -> None:
    assert schema() == json.loads(GOLDEN.read_text("utf-8"))


def test_summary_and_report_show_what_each_layer_lost(net: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = str(net.parent / "q.safetensors")
    assert quantize(net) == 0
    table = capsys.readouterr().out.split("\n\n")[0].splitlines()
    assert run(["summary", str(net), "--quantized", file]) == 0
    said = capsys.readouterr().out
    assert "parameters" in said
    assert all(row in said for row in table)
    conv = next(line for line in said.splitlines() if line.startswith("conv  "))
    assert any(level in conv for level in "▁▂▃▄▅▆▇█")
    page = net.parent / "net.html"
    assert run(["report", str(net), "--quantized", file, "-o", str(page)]) == 0
    (data,) = re.findall(r'id="page-data">(.*?)</script>', page.read_text("utf-8"))
    rows = json.loads(data)["quantized"]["rows"]
    assert [row["cells"][0] for row in rows] == ["conv", "fc"]
    assert [row["layer"] for row in rows] == [0, 3]
    assert sum(rows[0]["histogram"]) == 3 * 4 * 6 * 6


def test_a_file_of_another_network_or_without_figures_is_refused_by_summary(
    net: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert quantize(net) == 0
    other = net.parent / "other.cnn"
    other.write_text("input image: 2×6×6\nfirst: Conv3x3(4) → ReLU → Flatten → fc: FC(3)\n", "utf-8")
    capsys.readouterr()
    assert run(["summary", str(other), "--quantized", str(net.parent / "q.safetensors")]) == 1
    assert "is of another network" in capsys.readouterr().err
    assert run(["summary", str(net), "--quantized", str(net.parent / "w.safetensors")]) == 1
    assert "not-quantized" in capsys.readouterr().err
    assert run(["summary", str(net), "--quantized", str(net.parent / "q.safetensors"), "--format", "json"]) == 2
