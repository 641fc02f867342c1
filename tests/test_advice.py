"""Guards `advice.py`. Changes of a text are tried on the network, each with its figures before and after, and nothing is advised that
gains nothing.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from cnndsl.advice import Advice, advise
from cnndsl.cli import cli
from cnndsl.passes.read_program import read_program
from cnndsl.pipeline import load
from tests.latency.stored import FILE

FLAT = "input 3×32×32\nConv3x3(16) → ReLU → MaxPool → Conv3x3(32) → ReLU → Flatten → hidden: FC(256) → ReLU → FC(10)\n"
ODD = "input 3×32×32\nConv3x3(48) → ReLU → Conv3x3(52) → ReLU → GlobalAvgPool → FC(10)\n"
WIDE = "input 64×32×32\nfirst: Conv7x7(64) → ReLU → GlobalAvgPool → FC(10)\n"
GOOD = "input 3×32×32\nConv3x3(64) → ReLU → GlobalAvgPool → FC(10)\n"


def advised(tmp_path: Path, text: str) -> list[Advice]:
    path = tmp_path / "net.cnn"
    path.write_text(text, "utf-8")
    found = advise(load(str(path)).graph, read_program(str(path)))
    for advice in found:
        # The change builds, and has the figures that were told.
        changed = text[: advice.span.start] + advice.text + text[advice.span.end :]
        path.write_text(changed, "utf-8")
        graph = load(str(path)).graph
        assert sum(entry.weight.elements for entry in graph.weights if entry.weight.trained) == advice.after.params
        assert advice.gain > 0
    return found


def test_a_mean_before_a_wide_layer(tmp_path: Path) -> None:
    (advice, *_) = advised(tmp_path, FLAT)
    assert (advice.span.text, advice.text) == ("Flatten", "GlobalAvgPool → Flatten")
    assert (advice.before.params, advice.after.params) == (2_105_066, 16_106)


def test_channels_are_rounded_to_whole_vectors_where_that_gains(tmp_path: Path) -> None:
    (advice,) = advised(tmp_path, ODD)
    assert (advice.span.text, advice.text) == ("Conv3x3(52)", "Conv3x3(48)")


def test_a_window_is_split_in_two(tmp_path: Path) -> None:
    (advice,) = advised(tmp_path, WIDE)
    assert (advice.span.text, advice.text) == ("Conv7x7(64)", "[Conv7x1(64) → Conv1x7(64)]")
    assert advice.before.macs - 640 == 64 * 64 * 49 * 1024
    assert advice.after.macs - 640 == 2 * 64 * 64 * 7 * 1024


def test_nothing_is_advised_that_gains_nothing(tmp_path: Path) -> None:
    assert advised(tmp_path, GOOD) == []


def test_summary_tells_where_it_goes_and_what_was_tried(tmp_path: Path) -> None:
    path = tmp_path / "net.cnn"
    path.write_text(FLAT, "utf-8")
    result = CliRunner().invoke(cli, ["summary", str(path), "--advise"])
    assert result.exit_code == 0, result.output
    assert "parameters  hidden 100 %" in result.output
    assert "net.cnn:2:53: write `GlobalAvgPool → Flatten` for `Flatten`" in result.output


def page_of(path: Path, *arguments: str) -> dict[str, Any]:
    page = path.with_suffix(".html")
    result = CliRunner().invoke(cli, ["report", str(path), *arguments, "-o", str(page)])
    assert result.exit_code == 0, result.output
    data = page.read_text("utf-8").partition('id="page-data">')[2]
    return dict(json.loads(data.partition("</script>")[0]))


def test_a_report_has_the_advice_of_the_summary(tmp_path: Path) -> None:
    pytest.importorskip("pygraphviz")
    path = tmp_path / "net.cnn"
    path.write_text(FLAT, "utf-8")
    data = page_of(path, "--advise")
    names = [layer["name"] for layer in data["layers"]]
    shares = {figure: [(names[number], share) for number, share in parts] for figure, parts in data["advice"]["shares"]}
    # 32·16·16·256 multiply-adds of 3,746,314.
    assert shares["parameters"][0] == ("hidden", "100 %")
    assert shares["MACs"][0] == ("hidden", "56 %")
    (change, *_) = data["advice"]["changes"]
    assert (change["old"], change["new"]) == ("Flatten", "GlobalAvgPool → Flatten")
    assert change["at"].endswith("net.cnn:2:53")
    assert data["layers"][change["layer"]]["kind"] == "Flatten"
    assert change["figures"][0] == ["parameters", "2,105,066", "16,106"]
    told = CliRunner().invoke(cli, ["summary", str(path), "--advise"]).output
    for one in data["advice"]["changes"]:
        assert f"{one['kind']}, at {one['at']}: write `{one['new']}` for `{one['old']}`" in told
        assert ", ".join(f"{name} {before} → {after}" for name, before, after in one["figures"]) in told


def test_a_report_has_advice_where_it_was_asked_for_alone(tmp_path: Path) -> None:
    pytest.importorskip("pygraphviz")
    path = tmp_path / "net.cnn"
    path.write_text(GOOD, "utf-8")
    assert page_of(path)["advice"] is None
    assert page_of(path, "--advise")["advice"]["changes"] == []


def test_advice_with_a_machine_is_of_the_precision_that_was_asked_for(tmp_path: Path) -> None:
    path = tmp_path / "net.cnn"
    path.write_text(FLAT, "utf-8")
    asked = ["summary", str(path), "--advise", "--latency", "--target", str(FILE), "--batch", "4", "--precision"]
    for precision in ("f32", "int8"):
        told = CliRunner().invoke(cli, [*asked, precision]).stdout
        (whole,) = re.findall(r"^latency +(\S+ \S+) ±", told, re.MULTILINE)
        assert set(re.findall(r"    latency (\S+ \S+) →", told)) == {whole}


def test_advice_beside_a_document_goes_to_stderr(tmp_path: Path) -> None:
    path = tmp_path / "net.cnn"
    path.write_text(FLAT, "utf-8")
    result = CliRunner().invoke(cli, ["summary", str(path), "--advise", "--format", "json"])
    assert json.loads(result.stdout)["totals"]["params"] == 2_105_066
    assert "changes that were tried" in result.stderr


def test_a_program_on_standard_input_has_advice_too() -> None:
    result = CliRunner().invoke(cli, ["summary", "-", "--advise"], input=FLAT.encode())
    assert "<stdin>:2:53: write `GlobalAvgPool → Flatten` for `Flatten`" in result.stdout
