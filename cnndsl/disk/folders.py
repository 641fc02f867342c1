"""Folders that appear whole or not at all.

A folder is written beside its place and takes it in one step. Where one is there already, Linux swaps the two names in one
step (`renameat2` with RENAME_EXCHANGE); no link or pointer file is needed for that, so that a folder stays what people copy,
move and delete. Elsewhere, and on file systems that cannot swap, the old one steps aside first: who is killed in between
leaves nothing in the place, and the old folder comes back with the next one that is written there.
"""

from __future__ import annotations

import errno
import os
import re
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from cnndsl.diagnostics.errors import MissingPart
from cnndsl.disk.files import reason

LOCKS: Any = import_module("fcntl") if find_spec("fcntl") else None
"""None on Windows: nothing tells a folder that is being written from one that was left behind, and none is cleared away."""
_CANNOT_SWAP = (errno.ENOSYS, errno.EINVAL, errno.EOPNOTSUPP)


@contextmanager
def folder_aside(path: Path) -> Iterator[Path]:
    """A new folder to write into that becomes `path` when the block ends, in place of the one that is there; whatever goes
    wrong, `path` stays as it was.

    A link stays a link to the folder that is replaced. Clears away what killed processes left. Raises `MissingPart` where
    the machine does not let us write, in the block too.
    """
    try:
        path = Path(os.path.realpath(path))
        path.parent.mkdir(parents=True, exist_ok=True)
        _clear(path)
        aside, held = _new_beside(path)
        try:
            yield aside
            aside.chmod(0o755)
            _to_disk(aside)
            _take(aside, path)
            _to_disk(path.parent, deep=False)
        finally:
            shutil.rmtree(aside, ignore_errors=True)
            _release(held)
    except (OSError, ValueError) as error:
        raise MissingPart(f"cannot write {path}: {reason(error)}", "give a place that can be written to") from error


def _new_beside(path: Path) -> tuple[Path, int | None]:
    """An empty folder, and the lock on it by which other processes know that it is in use."""
    while True:
        aside = Path(tempfile.mkdtemp(prefix=f".{path.name}.", suffix=".new", dir=path.parent))
        held = _hold(aside)
        # Before it was locked, another process may have taken the folder for a leftover and removed it.
        if LOCKS is None or held is not None:
            return aside, held


def _hold(folder: Path) -> int | None:
    """A lock on the folder, which ends with the process; None where another has it, or there is no such folder now."""
    if LOCKS is None:
        return None
    try:
        handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    except OSError:
        return None
    try:
        LOCKS.flock(handle, LOCKS.LOCK_EX | LOCKS.LOCK_NB)
        if os.path.samestat(os.fstat(handle), folder.lstat()):
            return handle
    except OSError:
        pass
    os.close(handle)
    return None


def _release(held: int | None) -> None:
    if held is not None:
        os.close(held)


def _clear(path: Path) -> None:
    """Brings back an old folder that stepped aside for one that never came, and removes what else was left behind."""
    ours = re.compile(rf"\.{re.escape(path.name)}\.[a-z0-9_]{{8}}\.(new|old)")
    for left in [Path(entry.path) for entry in os.scandir(path.parent) if ours.fullmatch(entry.name)]:
        held = _hold(left)
        if held is None:
            continue
        try:
            if left.suffix == ".old" and not path.exists():
                left.rename(path)
            else:
                shutil.rmtree(left, ignore_errors=True)
        finally:
            _release(held)


def _take(aside: Path, path: Path) -> None:
    """Puts the folder in its place."""
    try:
        # In the place of nothing, or of an empty folder.
        aside.rename(path)
    except OSError as error:
        if error.errno not in (errno.ENOTEMPTY, errno.EEXIST) and not isinstance(error, FileExistsError):
            raise
        if not _swap(aside, path):
            _in_two_steps(aside, path)


def _swap(one: Path, other: Path) -> bool:
    """Whether the two names were exchanged, which not every system and file system can do."""
    if sys.platform != "linux":
        return False
    import ctypes

    renameat2 = getattr(ctypes.CDLL(None, use_errno=True), "renameat2", None)
    here, exchange = -100, 2
    if renameat2 is None:
        return False
    if renameat2(here, os.fsencode(one), here, os.fsencode(other), exchange) == 0:
        return True
    code = ctypes.get_errno()
    if code in _CANNOT_SWAP:
        return False
    raise OSError(code, os.strerror(code), str(other))


def _in_two_steps(aside: Path, path: Path) -> None:
    old = aside.with_suffix(".old")
    # While this process holds it, no other one brings the old folder back between the two renames.
    held = _hold(path)
    try:
        path.rename(old)
        try:
            aside.rename(path)
        except BaseException:
            old.rename(path)
            raise
        shutil.rmtree(old, ignore_errors=True)
    finally:
        _release(held)


def _to_disk(folder: Path, deep: bool = True) -> None:
    """A name must not reach the disk before the bytes it stands for."""
    if LOCKS is None:
        return
    for path in [*(folder.rglob("*") if deep else ()), folder]:
        if path.is_symlink() or not (path.is_file() or path.is_dir()):
            continue
        handle = os.open(path, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def size_of(path: Path) -> int:
    """The bytes of all files in a folder, or of one file."""
    files = path.rglob("*") if path.is_dir() else [path]
    return sum(file.stat().st_size for file in files if file.is_file())
