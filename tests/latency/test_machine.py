"""Guards `latency/machine.py`. A machine's file comes back as it was, and every other file is refused with a reason."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from cnndsl.diagnostics.errors import CnnError
from cnndsl.latency.fit import fit
from cnndsl.latency.machine import find_machine, folder, here, read_machine
from tests.latency.stored import FILE, stored


def test_a_file_comes_back_as_it_was(tmp_path: Path) -> None:
    machine = stored()
    machine.save(tmp_path / "again.json")
    assert read_machine(tmp_path / "again.json") == machine


def test_the_rows_of_a_file_give_its_coefficients_again() -> None:
    machine = stored()
    few = {row.family for row in machine.rows if row.family in ("Winograd", "Dense")}
    again = fit([row for row in machine.rows if row.family in few])
    for name in few:
        assert again[name].median == pytest.approx(machine.families[name].median, abs=0.01)


def test_a_machine_is_found_by_name_and_by_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    stored().save(folder() / f"{here()}.json")
    assert find_machine(None) == find_machine("llvm") == find_machine(here()) == find_machine(str(FILE))


@pytest.mark.parametrize("name", ["raspberry", "../xeon", "nowhere/xeon.json", "sm_80"])
def test_a_machine_that_nobody_measured_is_refused(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    with pytest.raises(CnnError, match=f"nobody has measured `{name}`"):
        find_machine(name)


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"format": 2}, "it is of format 2"),
        ({"columns": ["launch"]}, "its features are others"),
        ({"threads": 0}, "it names no threads"),
        ({"families": {}}, "it names no threads, no vectors or no kernels"),
        (
            {"families": {"Dense": {"coefficients": [1], "rows": 1, "median": 0, "p90": 0}}},
            "other numbers than its columns",
        ),
        ({"cpu": None}, "not subscriptable"),
        ({"rows": [["Dense", "", float("nan"), []]]}, "other numbers than its columns"),
    ],
)
def test_other_files_are_refused_with_a_reason(change: dict[str, Any], why: str, tmp_path: Path) -> None:
    told = {**json.loads(FILE.read_text("utf-8")), **change}
    path = tmp_path / "machine.json"
    path.write_text(json.dumps(told), "utf-8")
    with pytest.raises(CnnError, match=why) as caught:
        read_machine(path)
    assert caught.value.diagnostics[0].id == "bad-machine-file"


@pytest.mark.parametrize("content", [b"", b"[]", b"{", b"\xff\xfe", b'{"format": 1}', b"[" * 100_000])
def test_what_is_no_such_file_is_refused(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "machine.json"
    path.write_bytes(content)
    with pytest.raises(CnnError, match="is no file of measurements"):
        read_machine(path)
