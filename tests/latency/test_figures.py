"""Guards the verbs that tell time. `assert latency`, `diff`, `sweep` and `report` have the estimate for a machine, and say where there is
none.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from click.testing import CliRunner

from cnndsl.cli import cli
from cnndsl.diagnostics.errors import CnnError
from cnndsl.latency.machine import MEANT
from cnndsl.network import load
from cnndsl.pipeline import parse_text
from tests.latency.stored import FILE, of_kernels

NET = "input 3×64×64\nConv3x3(64) → ReLU → Conv3x3(64)\nassert latency < {}\n"


def said(*arguments: str) -> str:
    result = CliRunner().invoke(cli, [*arguments, "--target", str(FILE)])
    assert result.exit_code == 0, result.output
    return result.output


@pytest.fixture
def meant(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(MEANT, str(FILE))


@pytest.mark.usefixtures("meant")
def test_a_network_within_its_time_is_built() -> None:
    assert parse_text(NET.format("5ms")).graph.nodes


@pytest.mark.usefixtures("meant")
def test_a_network_that_takes_longer_breaks_its_budget() -> None:
    with pytest.raises(CnnError, match=r"`latency < 0.01ms` does not hold") as caught:
        parse_text(NET.format("0.01ms"))
    (label,) = caught.value.diagnostics[0].labels
    assert label.text.startswith("found: latency is ")
    assert label.text.endswith(" µs")


def test_a_demand_cannot_be_judged_on_a_machine_that_nobody_measured(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    monkeypatch.delenv(MEANT, raising=False)
    with pytest.raises(CnnError, match="nobody has measured this machine") as caught:
        parse_text(NET.format("5ms"))
    assert caught.value.diagnostics[0].labels[0].span.text == "assert latency < 5ms"


def test_a_thousandth_has_a_unit() -> None:
    assert parse_text("param t = 5ms\ninput 4\nFC(4)\nassert t == 0.005 and 2.5ms * 1000 == 2.5").graph.nodes


def test_a_difference_has_both_times() -> None:
    told = said("diff", "resnet18", "resnet34", "--latency")
    (line,) = [line for line in told.splitlines() if line.startswith("latency")]
    assert line.count("ms") == 2
    assert "%" in line or "×" in line


@pytest.mark.usefixtures("meant")
def test_a_sweep_finds_the_widest_within_a_time(tmp_path: Path) -> None:
    path = tmp_path / "wide.cnn"
    path.write_text("param width: int = 8\ninput 3×64×64\nConv3x3(width) → ReLU → Conv3x3(width)\n", "utf-8")
    told = said("sweep", str(path), "-P", "width=16,64,256", "--where", "latency < 2ms", "--best", "width")
    assert re.search(r"^ +64 +38,720 ", told, re.MULTILINE)
    assert "3 variants: 2 with latency < 2ms" in told


def test_a_report_has_the_time_of_each_layer(tmp_path: Path) -> None:
    pytest.importorskip("pygraphviz")
    said("report", "lenet5", "--latency", "-o", str(tmp_path / "page.html"))
    page = (tmp_path / "page.html").read_text("utf-8")
    data = page.partition('id="page-data">')[2]
    layers = json.loads(data.partition("</script>")[0])["layers"]
    assert [layer["name"] for layer in layers if layer["seconds"] is not None]
    assert all((layer["seconds"] is None) == (layer["time"] is None) for layer in layers)


@pytest.mark.parametrize("verb", [("summary", "lenet5"), ("report", "lenet5"), ("diff", "lenet5", "resnet18")])
def test_a_machine_that_nobody_asks_about_is_refused(verb: tuple[str, ...]) -> None:
    result = CliRunner().invoke(cli, [*verb, "--target", str(FILE)])
    assert result.exit_code == 2
    assert "--target is the machine of --latency" in result.output


OUTDATED = (
    "xeon was measured with other kernels than these, and times on it may be wrong: run `cnndsl limits` there again\n"
)
ASKING = [
    ("summary", "lenet5", "--latency", "--advise"),
    ("diff", "lenet5", "lenet5", "--latency"),
    ("sweep", "lenet5", "-P", "classes=9,10", "--columns", "latency", "--jobs", "1"),
]


@pytest.mark.parametrize("verb", ASKING)
def test_measurements_of_other_kernels_are_told_once(
    verb: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(MEANT, "")
    for these in (True, False):
        target = of_kernels(tmp_path / "xeon.json", these=these)
        result = CliRunner().invoke(cli, [*verb, "--target", target])
        assert result.exit_code == 0, result.output
        assert result.stderr.removesuffix("2 variants\n") == ("" if these else OUTDATED)


def test_documents_and_pages_tell_measurements_of_other_kernels(tmp_path: Path) -> None:
    pytest.importorskip("pygraphviz")
    for these in (True, False):
        target = of_kernels(tmp_path / "xeon.json", these=these)
        shown = CliRunner().invoke(cli, ["summary", "lenet5", "--latency", "--format", "json", "--target", target])
        assert json.loads(shown.stdout)["latency"].get("outdated", False) is not these
        page = tmp_path / "page.html"
        CliRunner().invoke(cli, ["report", "lenet5", "--latency", "--target", target, "-o", str(page)])
        assert (OUTDATED.strip() in page.read_text("utf-8")) is not these
        assert load("lenet5").latency(target).machine.outdated is not these


def test_from_python() -> None:
    found = load("lenet5").latency(str(FILE), precision="int8")
    assert found.precision == "int8"
    assert found.words.endswith("rough")
