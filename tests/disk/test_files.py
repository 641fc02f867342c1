"""Guards `disk/files.py`. Files appear whole or not at all."""

from __future__ import annotations

from pathlib import Path

import pytest

from cnndsl.diagnostics.errors import MissingPart
from cnndsl.disk.files import write_atomically


def test_folders_are_made_and_text_is_utf8(tmp_path: Path) -> None:
    write_atomically(tmp_path / "a" / "b" / "net.cnn", "3×3\r\n")
    assert (tmp_path / "a" / "b" / "net.cnn").read_bytes() == "3×3\r\n".encode()
    assert [p.name for p in (tmp_path / "a" / "b").iterdir()] == ["net.cnn"]


def test_a_file_keeps_its_mode_and_a_link_its_target(tmp_path: Path) -> None:
    target, link = tmp_path / "target", tmp_path / "link"
    target.write_text("old")
    target.chmod(0o640)
    link.symlink_to(target)
    write_atomically(link, "new")
    assert link.is_symlink()
    assert (target.read_text(), target.stat().st_mode & 0o777) == ("new", 0o640)


def test_a_device_is_written_into_not_replaced() -> None:
    write_atomically(Path("/dev/null"), "x")
    assert Path("/dev/null").is_char_device()


def test_what_cannot_be_written_says_so_and_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    with pytest.raises(MissingPart, match="cannot write"):
        write_atomically(tmp_path / "folder", "x")
    (tmp_path / "file").write_text("")
    with pytest.raises(MissingPart, match="cannot write"):
        write_atomically(tmp_path / "file" / "below", "x")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["file", "folder"]
