"""Guards `backends/tvm/tuning/store.py`. The store against torn tails, other processes, SIGKILL, full disks and
foreign files.
"""

from __future__ import annotations

import errno
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cnndsl.backends.tvm.tuning.records import Measured, Place, Verdict
from cnndsl.backends.tvm.tuning.store import HEADER, Store, default_path, line_of
from cnndsl.diagnostics.errors import MissingPart, Refused
from tests.few import few

HERE = Place(target="znver4", threads=2, tvm="0.27")


def measured(number: int, seconds: float | None = 1e-3) -> Measured:
    error = None if seconds else "it crashed"
    return Measured(place=HERE, key=f"Dense units={number}", setting={"tile": [2, 7]}, seconds=seconds, error=error)


def verdict(number: int) -> Verdict:
    return Verdict(
        place=HERE, key=f"Dense units={number}", setting={}, network="net", accepted=True, before=2.0, after=1.0
    )


def test_records_come_back_as_they_were(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "store.jsonl"
    written: list[Measured | Verdict] = [measured(1), measured(2, None), verdict(3)]
    store = Store(path)
    for record in written:
        store.append(record)
    assert list(store.records) == written == list(Store(path).records)
    assert store.damaged == 0


def test_every_line_is_json_that_others_can_read(tmp_path: Path) -> None:
    path = tmp_path / "store.jsonl"
    Store(path).append(measured(1))
    first, second = map(json.loads, path.read_text("utf-8").splitlines())
    assert first["record"] == {"format": "cnndsl-tuning", "schema": 1}
    assert second["record"]["setting"] == {"tile": [2, 7]}


@given(st.integers(0, 2000), st.binary(max_size=40).filter(lambda b: b"\n" not in b))
@settings(max_examples=60, deadline=None)
def test_a_torn_tail_loses_at_most_the_last_record(cut: int, rubbish: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "store.jsonl"
        written = [measured(i) for i in range(5)]
        Store(path).append(*written)
        whole = path.read_bytes()
        cut = min(cut, len(whole))
        # Only what a writer would have written can stand in the first line.
        tail = whole[:cut] + (rubbish if cut >= len(HEADER) and whole[cut - 1 : cut] == b"\n" else b"")
        path.write_bytes(tail)
        left = list(Store(path).records)
        assert left == written[: max(0, tail.count(b"\n") - 1)]
        store = Store(path)
        store.append(measured(9))
        assert list(Store(path).records) == [*left, measured(9)]
        assert store.damaged == 0


@given(st.data())
@settings(max_examples=100, deadline=None)
def test_no_changed_byte_makes_a_record(data: st.DataObject) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "store.jsonl"
        written = [measured(i) for i in range(4)]
        Store(path).append(*written)
        bytes_ = bytearray(path.read_bytes())
        at = data.draw(st.integers(len(HEADER), len(bytes_) - 1))
        bytes_[at] ^= data.draw(st.integers(1, 255))
        path.write_bytes(bytes_)
        found = Store(path).records
        assert all(record in written for record in found)
        assert len(found) >= 2


@given(st.binary(max_size=300))
@settings(max_examples=200, deadline=None)
def test_any_bytes_are_refused_or_read(content: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "store.jsonl"
        path.write_bytes(content)
        try:
            assert Store(path).records == ()
        except Refused:
            assert not HEADER.startswith(content[: len(HEADER)])
        path.write_bytes(HEADER + content)
        assert Store(path).records == ()


def test_deep_nesting_is_damage(tmp_path: Path) -> None:
    path = tmp_path / "store.jsonl"
    path.write_bytes(HEADER + b"[" * 200_000 + b"\n")
    store = Store(path)
    assert (store.records, store.damaged) == ((), 1)


def test_what_is_no_record_is_passed_over_quickly(tmp_path: Path) -> None:
    """Millions of lines would take a minute, and a gigabyte, as lines."""
    path = tmp_path / "store.jsonl"
    good = line_of(measured(1).model_dump(mode="json"))
    path.write_bytes(HEADER + b"\n" * 3_000_000 + good + b"x" * 3_000_000 + b"\n" + good)
    store = Store(path)
    assert store.records == (measured(1), measured(1))
    assert store.damaged == 3_000_001


@pytest.mark.parametrize("content", ["{}\n", "import os\n", "\n", "\x00"])
def test_foreign_files_are_left_alone(tmp_path: Path, content: str) -> None:
    path = tmp_path / "notes.txt"
    path.write_text(content)
    with pytest.raises(Refused, match="is not a tuning store"):
        Store(path)
    assert path.read_text() == content


def test_folders_and_pipes_are_refused(tmp_path: Path) -> None:
    with pytest.raises(Refused):
        Store(tmp_path)
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(Refused):
        Store(tmp_path / "pipe")


def test_a_file_that_became_foreign_is_not_written(tmp_path: Path) -> None:
    path = tmp_path / "store.jsonl"
    store = Store(path)
    path.write_text("something else\n")
    with pytest.raises(Refused):
        store.append(measured(1))
    assert path.read_text() == "something else\n"


def test_a_full_disk_leaves_what_was_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "store.jsonl"
    store = Store(path)
    store.append(measured(1))
    before = path.read_bytes()
    real, left = os.pwrite, [100]

    def full(handle: int, data: bytes, offset: int) -> int:
        if not left[0]:
            raise OSError(errno.ENOSPC, "No space left on device")
        count, left[0] = min(left[0], len(data)), 0
        return real(handle, data[:count], offset)

    monkeypatch.setattr(os, "pwrite", full)
    with pytest.raises(MissingPart, match="No space left"):
        store.append(measured(2))
    assert path.read_bytes() == before


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(MissingPart, match="--store"):
        Store(tmp_path / "file" / "store.jsonl").append(measured(1))


def test_readers_see_what_others_append(tmp_path: Path) -> None:
    path = tmp_path / "store.jsonl"
    mine, other = Store(path), Store(path)
    for number in range(3):
        other.append(measured(number))
        mine.refresh()
        assert len(mine.records) == number + 1


def test_a_store_that_was_replaced_is_read_anew(tmp_path: Path) -> None:
    path = tmp_path / "store.jsonl"
    store = Store(path)
    store.append(measured(1), measured(2))
    Store(tmp_path / "new.jsonl").append(measured(7))
    (tmp_path / "new.jsonl").replace(path)
    store.refresh()
    assert list(store.records) == [measured(7)]


def test_the_usual_place(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert default_path() == tmp_path / "cnndsl" / "tuning.jsonl"
    monkeypatch.setenv("XDG_CACHE_HOME", "relative")
    assert default_path() == Path.home() / ".cache" / "cnndsl" / "tuning.jsonl"


WRITER = """
import sys
from pathlib import Path
from cnndsl.backends.tvm.tuning.records import Measured, Place
from cnndsl.backends.tvm.tuning.store import Store
name, count = sys.argv[2], int(sys.argv[3])
store = Store(Path(sys.argv[1]))
place = Place(target=name, threads=1, tvm="0.27")
for number in range(count):
    store.append(Measured(place=place, key=str(number), setting={"padding": "x" * (number % 500)}, seconds=1.0))
    print(number, flush=True)
"""


def writer(path: Path, name: str, count: int) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", WRITER, str(path), name, str(count)], stdout=subprocess.PIPE, text=True
    )


def test_two_processes_share_a_store(tmp_path: Path) -> None:
    path = tmp_path / "store.jsonl"
    running = [writer(path, name, 150) for name in ("a", "b")]
    assert [process.communicate()[0].count("\n") for process in running] == [150, 150]
    store = Store(path)
    for name in ("a", "b"):
        assert [r.key for r in store.records if r.place.target == name] == [str(i) for i in range(150)]
    assert store.damaged == 0


@pytest.mark.parametrize("rounds", few([4, 25], 1))
def test_kill_at_any_moment_loses_at_most_the_last_record(tmp_path: Path, rounds: int) -> None:
    """Writers, two at a time, are killed while they append."""
    path = tmp_path / "store.jsonl"
    told: dict[str, int] = {}
    for round in range(rounds):
        pair = {f"{round}{side}": writer(path, f"{round}{side}", 100_000) for side in "ab"}
        for process in pair.values():
            assert process.stdout is not None
            process.stdout.readline()
        time.sleep(0.002 * (3 * round % 7))
        for name, process in pair.items():
            process.send_signal(signal.SIGKILL)
            told[name] = 1 + process.communicate()[0].count("\n")
    store = Store(path)
    for name, count in told.items():
        numbers = [int(r.key) for r in store.records if r.place.target == name]
        assert numbers == list(range(len(numbers)))
        # What was said to be written is there; at most one more that nobody was told of.
        assert count <= len(numbers) <= count + 1
    assert store.damaged == 0
    store.append(measured(1))
    assert Store(path).records[-1] == measured(1)
