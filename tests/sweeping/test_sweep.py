"""Guards `sweeping/sweep.py`, `call.py`, `program.py`, `processes.py` and `journal.py`: rows are exact, in order, and none is lost."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest

import cnndsl
from cnndsl.analyses.budget import Figures
from cnndsl.diagnostics.errors import CnnError, MissingPart
from cnndsl.diagnostics.source import Source
from cnndsl.passes.read_program import read_program
from cnndsl.sweeping import processes
from cnndsl.sweeping.call import sweep
from cnndsl.sweeping.journal import Journal
from cnndsl.sweeping.processes import _Crew
from cnndsl.sweeping.program import Program
from cnndsl.sweeping.rows import Row
from cnndsl.sweeping.variants import Grid, Variant
from cnndsl.syntax.parser import parse
from tests.sweeping.programs import NET


@pytest.fixture
def net(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The program, in the working directory."""
    monkeypatch.chdir(tmp_path)
    Path("net.cnn").write_text(NET, "utf-8")
    return "net.cnn"


def test_each_row_has_the_figures_of_the_network_it_is_of(net: str) -> None:
    figures = (
        "params",
        "macs",
        "flops",
        "activations",
        "depth",
        "rf",
        "output",
        "buffers",
        "memory",
        "training_memory",
    )
    rows = list(sweep(net, width=[2, 8], act=["ReLU", "SiLU"], input=[(3, 32, 32), "3x48x48"], figures=figures))
    assert len(rows) == 8
    for row in rows:
        loaded = cnndsl.load(net, input=row["input"], width=row["width"], act=row["act"])
        totals, field = loaded.summary().totals, loaded.receptive_field
        assert {name: row[name] for name in figures} == {
            "params": totals.params,
            "macs": totals.macs,
            "flops": totals.flops,
            "activations": totals.activations,
            "depth": totals.depth,
            "rf": min(field.size) if field else None,
            "output": "10",
            "buffers": totals.buffers,
            "memory": totals.peak_memory_bytes.inference,
            "training_memory": totals.peak_memory_bytes.training,
        }


def test_the_text_is_parsed_once_and_only_the_figures_that_are_asked_for_are_worked_out(
    net: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    parsed: list[str] = []

    def counted(source: Source) -> Any:
        parsed.append(source.name)
        return parse(source)

    monkeypatch.setattr("cnndsl.passes.library.library.parse", counted)
    monkeypatch.setattr(Figures, "field", property(lambda _: pytest.fail("nobody asked for the receptive field")))
    Path(net).write_text(f"{NET}# another text than those that are remembered\n", "utf-8")
    assert len(list(sweep(net, width=range(2, 42, 2), jobs=1))) == 20
    assert parsed == ["net.cnn"]


def test_what_cannot_be_built_is_listed_with_its_reason(net: str) -> None:
    found = sweep(net, width=[3, 2, 1.5, 4, 0])
    assert [row["width"] for row in found] == [2, 4]
    assert [(row.variant.parameters["width"], row.id) for row in found.refused] == [
        (3, "groups-mismatch"),
        (1.5, "not-an-integer"),
        (0, "out-of-range"),
    ]
    assert found.refused[2].reason is not None
    assert "at least 1" in found.refused[2].reason
    assert found.tried == 5


def test_an_assert_of_the_program_that_does_not_hold_is_a_reason(net: str) -> None:
    Path(net).write_text(f"{NET}assert params < 400\n", "utf-8")
    found = sweep(net, width=[2, 16])
    assert [row["width"] for row in found] == [2]
    assert [(row.id, row.reason) for row in found.refused] == [
        ("assert-failed", "`params < 400` does not hold; found: params is 3,146")
    ]


def test_models_of_a_family_are_rows(net: str) -> None:
    rows = list(sweep("resnet", models=["all"], where="params < 30M and depth > 18"))
    assert [(row["model"], row["params"]) for row in rows] == [
        ("resnet34", 21_797_672),
        ("resnet50", 25_557_032),
        ("resnext50_32x4d", 25_028_904),
    ]


def test_a_condition_speaks_of_figures_parameters_and_the_output(net: str) -> None:
    rows = list(sweep(net, width="2..32:2", where="macs < 400K and width % 4 == 0 and output.channels == 10"))
    assert [row["width"] for row in rows] == [4, 8]
    assert set(rows[0]) == {"width", "params", "macs", "output"}


@pytest.mark.parametrize(
    ("options", "id"),
    [
        ({"where": "mcas < 3"}, "unknown-name"),
        ({"where": "macs <"}, "syntax"),
        ({"where": "macs + 1"}, "wrong-type"),
        ({"figures": ["parms"]}, "unknown-name"),
        ({"width": "9..1"}, "bad-range"),
    ],
)
def test_what_cannot_be_meant_is_refused(net: str, options: dict[str, Any], id: str) -> None:
    with pytest.raises(CnnError) as caught:
        list(sweep(net, **options))
    assert caught.value.diagnostics[0].id == id


# -- On several processes


def grid_of(count: int) -> Grid:
    return Grid((None,), {"width": [2 * n for n in range(1, count + 1)]}, {})


def test_several_processes_give_the_same_rows_in_the_same_order(net: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, "FEW", 0)
    apart = list(sweep(net, width=range(2, 82, 2), jobs=2))
    assert apart == list(sweep(net, width=range(2, 82, 2), jobs=1))
    assert len(apart) == 40


def test_a_process_that_is_killed_loses_no_variant(net: str) -> None:
    program, grid = Program.of(read_program(net)), grid_of(64)
    crew = _Crew(program, grid, ("macs",), 2)
    coming = crew.rows()
    found = [next(coming)]
    for process in list(crew._processes):
        process.kill()
    found += coming
    assert sorted(row.variant.parameters["width"] for row in found) == [2 * n for n in range(1, 65)]
    assert all(row.built for row in found)


def test_a_variant_that_ends_its_process_is_told_and_the_others_are_built(
    net: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    deadly = (
        Path(processes.__file__)
        .with_name("worker.py")
        .read_text("utf-8")
        .replace(
            "known = _program(program)",
            "known = _program(program)\n    any(v[1]['width'] == 6 for v in variants) and sys.exit(9)",
        )
    )
    Path("deadly.py").write_text(deadly, "utf-8")
    started = subprocess.Popen

    def popen(command: list[str], **options: Any) -> Any:
        return started([command[0], "deadly.py"], **options)

    monkeypatch.setattr(subprocess, "Popen", popen)
    rows = list(_Crew(Program.of(read_program(net)), grid_of(20), ("macs",), 1).rows())
    assert len(rows) == 20
    (lost,) = [row for row in rows if not row.built]
    assert (lost.variant.parameters["width"], lost.id, lost.reason) == (
        6,
        "process-ended",
        "the process that built it ended with 9",
    )


def test_who_stops_asking_leaves_no_process_behind(net: str) -> None:
    crew = _Crew(Program.of(read_program(net)), grid_of(2000), ("macs",), 2)
    coming = crew.rows()
    next(coming)
    assert isinstance(coming, Generator)
    coming.close()
    assert crew._processes == set()
    assert not any(thread.is_alive() for thread in crew._threads)


def test_a_program_is_built_elsewhere_with_the_files_that_it_uses(net: str) -> None:
    Path("parts").mkdir()
    Path("parts/unit.cnn").write_text('use Inner from "inner.cnn"\nblock Unit(c) { Inner(c) → ReLU }\n', "utf-8")
    Path("parts/inner.cnn").write_text("block Inner(c) { Conv3x3(c) → BN }\n", "utf-8")
    Path("uses.cnn").write_text(
        'param width: int = 4\nuse Unit from "parts/unit.cnn"\ninput 3×8×8\nUnit(width)\n', "utf-8"
    )
    program = Program.of(read_program("uses.cnn"))
    for path in ("uses.cnn", "parts/unit.cnn", "parts/inner.cnn"):
        Path(path).unlink()
    again = Program.from_json(program.to_json())
    assert again.digest == program.digest
    assert again.row(grid_of(1)[0], ("params",)).figures == {"params": 3 * 9 * 2 + 2 + 4}


def test_a_program_of_another_version_is_refused(net: str) -> None:
    told = json.loads(Program.of(read_program(net)).to_json())
    with pytest.raises(ValueError, match="and the program comes from cnndsl"):
        Program.from_json(json.dumps({**told, "version": "0.0.0"}))


# -- Into a file


def test_a_sweep_goes_on_where_it_was(net: str, monkeypatch: pytest.MonkeyPatch) -> None:
    begun = sweep(net, width=range(2, 42, 2), into="rows.jsonl")
    first = [next(begun) for _ in range(5)]
    assert isinstance(begun._rows, Generator)
    begun._rows.close()
    built: list[Variant] = []
    row = Program.row

    def counted(self: Program, variant: Variant, figures: tuple[str, ...]) -> Row:
        built.append(variant)
        return row(self, variant, figures)

    monkeypatch.setattr(Program, "row", counted)
    rows = list(sweep(net, width=range(2, 62, 2), into="rows.jsonl"))
    assert rows[:5] == first
    assert len(rows) == 30
    assert len(built) == 25
    # Other figures than those that are there are worked out once more.
    assert list(sweep(net, width=[2], figures=["rf"], into="rows.jsonl")) == [{"width": 2, "rf": 5}]
    assert len(built) == 26


def test_a_torn_line_is_cut_off_and_a_damaged_one_built_again(net: str) -> None:
    rows = list(sweep(net, width=range(2, 22, 2), into="rows.jsonl"))
    lines = Path("rows.jsonl").read_bytes().splitlines(keepends=True)
    lines[3] = b'{"model": 3, "parameters"\n'
    Path("rows.jsonl").write_bytes(b"".join(lines)[:-20])
    assert list(sweep(net, width=range(2, 22, 2), into="rows.jsonl")) == rows
    again = Path("rows.jsonl").read_bytes().splitlines()
    assert len(again) == 1 + 10 + 1


def test_a_file_of_another_program_or_kind_is_left_as_it_is(net: str) -> None:
    list(sweep(net, width=[2], into="rows.jsonl"))
    before = Path("rows.jsonl").read_bytes()
    Path("other.cnn").write_text(NET.replace("FC(10)", "FC(11)"), "utf-8")
    with pytest.raises(CnnError) as caught:
        list(sweep("other.cnn", width=[2], into="rows.jsonl"))
    assert caught.value.diagnostics[0].id == "other-sweep"
    assert Path("rows.jsonl").read_bytes() == before
    for content in (b"not ours\n", b"no line end", b"\xff\xfe\n"):
        Path("notes.jsonl").write_bytes(content)
        with pytest.raises(CnnError) as caught:
            list(sweep(net, width=[2], into="notes.jsonl"))
        assert caught.value.diagnostics[0].id == "other-sweep"
        assert Path("notes.jsonl").read_bytes() == content


@pytest.mark.parametrize(
    "line",
    [
        b"3",
        b"[]",
        b"null",
        b'"text"',
        b"[" * 100_000,
        b'{"model": 3, "parameters": {}, "inputs": {}}',
        b'{"model": null, "parameters": {"width": 2}, "inputs": {}, "figures": {"params": {}, "macs": true}}',
        b'{"model": null, "parameters": {"width": 2}, "inputs": {"": 4}, "figures": {"params": 1, "macs": 1}}',
        b'{"model": null, "parameters": 7, "inputs": [], "figures": {"params": 1, "macs": 1}}',
        b"\xff\x00",
        b"1" * 10_000,
    ],
)
def test_a_line_that_is_no_row_is_passed_over(net: str, line: bytes) -> None:
    (row,) = sweep(net, width=[2], into="rows.jsonl")
    head = Path("rows.jsonl").read_bytes().splitlines()[0]
    Path("rows.jsonl").write_bytes(head + b"\n" + line + b"\n")
    assert list(sweep(net, width=[2], into="rows.jsonl")) == [row]


def test_two_sweeps_do_not_write_into_one_file(net: str) -> None:
    program = Program.of(read_program(net))
    with Journal(Path("rows.jsonl"), program), pytest.raises(MissingPart, match="another sweep writes to"):
        Journal(Path("rows.jsonl"), program)
