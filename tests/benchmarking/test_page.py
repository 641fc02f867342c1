"""Guards `tests/benchmarks/page.py`. `make bench`: the page of stored documents, and what becomes of a network that
fails.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from cnndsl.benchmarking.bench_report import BenchReport
from cnndsl.benchmarking.machine import model
from cnndsl.cli import run
from tests.benchmarking.test_text import REPORT
from tests.benchmarks import networks
from tests.benchmarks.networks import SUITE, Entry
from tests.benchmarks.page import page


def test_the_page() -> None:
    lines = page({"resnet50": (0.87, REPORT), "resnet18": (0.75, REPORT)}).splitlines()
    assert lines[0] == "# Performance"
    assert "A CPU (znver4), 2 cores; 2 threads; Linux x86_64; torch 2." in lines
    rows = [line.strip("| ").split("|") for line in lines if line.startswith("| resnet")]
    assert [[cell.strip() for cell in row] for row in rows] == [
        [name, "4×3×8×8", "2.000", "3.000", "–", "–", "–", "0.250", target, "0.500", "25%", "1.2"]
        for name, target in (("resnet50", "0.87"), ("resnet18", "0.75"))
    ] + [[name, "torch float64", "1.0e-06", "–", "–", "–", "2.0e-07"] for name in ("resnet50", "resnet18")]
    assert "Geometric means of the ratios: 0.250 to torch (2 networks)." in lines
    assert "- resnet18: openvino is left out: openvino is not installed" in lines
    assert "## Kernels of resnet50" in lines
    assert "## Kernels of resnet18" not in lines
    assert [line for line in lines if line.startswith("| DirectConv")] == [
        "| DirectConv |     1 | 1.500 | 75.0% |       0.400 |         27% |"
    ]


def test_machines_apart() -> None:
    machine = REPORT.machine.model_copy(update={"cpu": "Another"})
    text = page({"m5": (1.0, REPORT), "vgg16": (0.5, REPORT.model_copy(update={"machine": machine}))})
    assert "## Machines\n\n- A CPU (znver4), 2 cores; 2 threads; Linux x86_64; torch 2: m5\n- Another" in text


def test_every_command_of_the_suite_reads(capsys: pytest.CaptureFixture[str]) -> None:
    for entry in SUITE:
        name, *options = entry.command[4:]
        sizes = [part for i, part in enumerate(options) if "--input" in (part, options[i - 1])]
        assert run(["summary", name, "--depth", "1", *sizes]) == 0
    assert capsys.readouterr().err == ""


def test_a_network_that_fails_keeps_its_document(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(networks, "FOLDER", tmp_path)
    monkeypatch.setattr(networks, "ROOT", tmp_path)
    monkeypatch.setattr(networks, "SUITE", (Entry("broken", 1.0, "there_is_no_such_network"), Entry("kept", 1.0)))
    (tmp_path / "kept.json").write_text(REPORT.to_json(), "utf-8")
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[2]))
    monkeypatch.setattr(networks, "is_current", lambda entry: entry.name == "kept")
    assert networks.main() == 1
    assert "broken: exit code 2" in capsys.readouterr().err
    assert BenchReport.model_validate_json((tmp_path / "kept.json").read_bytes()) == REPORT
    assert "| kept" in (tmp_path / "docs" / "performance.md").read_text("utf-8")
    monkeypatch.setenv("BENCH", "resnet19")
    assert networks.main() == 2


def test_documents_of_this_machine_younger_than_the_sources_are_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(networks, "FOLDER", tmp_path)
    entry = Entry("m5", 1.0)
    assert not networks.is_current(entry)
    here = REPORT.machine.model_copy(update={"cpu": model()})
    entry.document.write_text(REPORT.model_copy(update={"machine": here}).to_json(), "utf-8")
    assert networks.is_current(entry)
    os.utime(entry.document, (0, 0))
    assert not networks.is_current(entry)
    entry.document.write_text(REPORT.to_json(), "utf-8")
    assert not networks.is_current(entry)
