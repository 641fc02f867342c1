"""Guards `disk/folders.py`. Folders that take their place in one step, or in two where the system knows no better; and
what killed processes leave.
"""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from cnndsl.diagnostics.errors import MissingPart
from cnndsl.disk import folders
from cnndsl.disk.folders import folder_aside

pytestmark = pytest.mark.skipif(folders.LOCKS is None, reason="takes locks of folders")


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def write(path: Path, text: str) -> None:
    with folder_aside(path) as aside:
        (aside / "file").write_text(text)


@pytest.fixture(params=["one step", "two steps"])
def steps(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    if request.param == "two steps":
        monkeypatch.setattr(folders, "_swap", lambda _one, _other: False)
    return str(request.param)


@pytest.mark.usefixtures("steps")
def test_a_folder_takes_the_place_of_another(tmp_path: Path) -> None:
    place = tmp_path / "above" / "place"
    write(place, "first")
    (place / "more").write_text("")
    write(place, "second")
    assert {p.name: p.read_text() for p in place.iterdir()} == {"file": "second"}
    assert names(place.parent) == ["place"]
    assert place.stat().st_mode & 0o777 == 0o755


def test_linux_swaps_names_in_one_step(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if sys.platform != "linux":
        pytest.skip("other systems take two steps")
    swapped = []
    swap = folders._swap

    def watched(one: Path, other: Path) -> bool:
        swapped.append(swap(one, other))
        return swapped[-1]

    monkeypatch.setattr(folders, "_swap", watched)
    for text in ("first", "second"):
        write(tmp_path / "place", text)
    assert swapped == [True]


def fail(path: Path, error: Exception) -> None:
    with folder_aside(path) as aside:
        (aside / "file").write_text("half")
        raise error


@pytest.mark.usefixtures("steps")
def test_what_fails_leaves_the_old_folder_alone(tmp_path: Path) -> None:
    place = tmp_path / "place"
    write(place, "first")
    for error, expected in ((KeyError("k"), KeyError), (OSError(28, "No space left on device"), MissingPart)):
        with pytest.raises(expected):
            fail(place, error)
    assert (place / "file").read_text() == "first"
    assert names(tmp_path) == ["place"]


def test_a_second_step_that_fails_takes_back_the_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = tmp_path / "place"
    write(place, "first")
    monkeypatch.setattr(folders, "_swap", lambda _one, _other: False)
    rename = Path.rename

    def failing(self: Path, target: Path) -> Path:
        if self.suffix == ".new":
            # As over the folder that is there, and then for another reason.
            raise OSError(39 if place.exists() else 5, "Input/output error")
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", failing)
    with pytest.raises(MissingPart, match="Input/output error"):
        write(place, "second")
    assert (place / "file").read_text() == "first"
    assert names(tmp_path) == ["place"]


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "link").symlink_to("elsewhere")
    for text in ("first", "second"):
        write(tmp_path / "link", text)
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "elsewhere" / "file").read_text() == "second"


KILLED = """
import os, signal, sys
from pathlib import Path
from cnndsl.disk import folders
folders._swap = lambda _one, _other: False
def rename(self, target, whole=Path.rename):
    whole(self, target)
    if target.suffix == ".old":
        os.kill(os.getpid(), signal.SIGKILL)
Path.rename = rename
with folders.folder_aside(Path(sys.argv[1])) as aside:
    (aside / "file").write_text("second")
"""


def test_a_folder_that_stepped_aside_comes_back(tmp_path: Path) -> None:
    place = tmp_path / "place"
    write(place, "first")
    write(tmp_path / "place.b", "another")
    done = subprocess.run([sys.executable, "-c", KILLED, str(place)], check=False)
    assert done.returncode == -signal.SIGKILL
    assert not place.exists()
    with pytest.raises(KeyError), folder_aside(place):
        raise KeyError
    assert (place / "file").read_text() == "first"
    assert names(tmp_path) == ["place", "place.b"]


def test_what_another_process_writes_is_left_to_it(tmp_path: Path) -> None:
    place = tmp_path / "place"
    left = tmp_path / ".place.abcdefgh.new"
    left.mkdir()
    with folder_aside(place) as slow:
        (slow / "file").write_text("slow")
        assert not left.exists()
        write(place, "quick")
        assert (slow / "file").read_text() == "slow"
    assert (place / "file").read_text() == "slow"
    assert names(tmp_path) == ["place"]


def test_no_folder_can_have_such_a_name(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for name in ("a\0b", "file/place", "n" * 300):
        with pytest.raises(MissingPart, match="cannot write"):
            write(tmp_path / name, "never")
    assert names(tmp_path) == ["file"]
