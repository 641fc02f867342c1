"""The tuning store: a file that only grows, a record a line.

A line is JSON, `{"check": …, "record": …}`, where `check` is the start of the SHA-256 of the record as it is written.
The first line says what the file is. An append is one write under a lock, followed by a sync, so that two processes
can share a store, and a process that dies loses at most the line it was writing: what follows the last line end is
cut off by the next append. Readers take no lock and pass over what is damaged. Nothing in the file is ever run.
"""

from __future__ import annotations

import errno
import fcntl
import json
import os
import re
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path

from pydantic import ValidationError

from cnndsl.backends.tvm.tuning.records import Measured, Verdict, record_of
from cnndsl.diagnostics.errors import Diagnostic, MissingPart, Refused
from cnndsl.disk.files import reason

_LARGEST = 1 << 28
_STEP = 1 << 16
_LINE = re.compile(rb'^\{"check":.*\n', re.MULTILINE)


def line_of(record: object) -> bytes:
    text = json.dumps(record, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return f'{{"check":"{_check(text)}","record":{text}}}\n'.encode()


def _check(text: str) -> str:
    return sha256(text.encode()).hexdigest()[:16]


HEADER = line_of({"format": "cnndsl-tuning", "schema": 1})


def default_path() -> Path:
    """`cnndsl/tuning.jsonl` in the user's cache: `$XDG_CACHE_HOME`, else `~/.cache`."""
    given = os.environ.get("XDG_CACHE_HOME", "")
    # The specification has relative paths ignored.
    return (Path(given) if Path(given).is_absolute() else Path.home() / ".cache") / "cnndsl" / "tuning.jsonl"


class Store:
    """A store on disk; it need not exist yet. Raises `Refused` (not-a-store) for another file at its path."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.damaged = 0
        """Lines that were passed over, because their check is not theirs."""
        self._records: list[Measured | Verdict] = []
        self._read = 0
        self._inode = -1
        self.refresh()

    @property
    def records(self) -> tuple[Measured | Verdict, ...]:
        """All records read so far, the oldest first."""
        return tuple(self._records)

    def refresh(self) -> None:
        """Reads what has been appended since, by this process and others. Raises `MissingPart` where it may not."""
        try:
            # Not blocking, so that a pipe at this path is refused and not waited for.
            handle = os.open(self.path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
        except FileNotFoundError:
            return
        except (OSError, ValueError) as error:
            raise _unusable(self.path, "read", error) from error
        try:
            self._read_from(handle)
        except OSError as error:
            raise _unusable(self.path, "read", error) from error
        finally:
            os.close(handle)

    def append(self, *records: Measured | Verdict) -> None:
        """Writes the records behind all others; they are on the disk when this returns. Raises `MissingPart`."""
        data = b"".join(line_of(record.model_dump(mode="json")) for record in records)
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with self._locked() as handle:
                end = self._mended(handle)
                if end == 0:
                    data = HEADER + data
                _write(handle, data, end)
        except OSError as error:
            raise _unusable(self.path, "write", error) from error
        self.refresh()

    @contextmanager
    def _locked(self) -> Iterator[int]:
        handle = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NONBLOCK, 0o644)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield handle
        finally:
            os.close(handle)

    def _mended(self, handle: int) -> int:
        """The size of the file once a torn last line is cut off."""
        self._refuse_foreign(handle)
        size = os.fstat(handle).st_size
        end = size
        while end and os.pread(handle, 1, end - 1) != b"\n":
            start = max(0, end - _STEP)
            end = start + os.pread(handle, end - start, start).rfind(b"\n") + 1
        if end != size:
            os.ftruncate(handle, end)
        return end

    def _refuse_foreign(self, handle: int) -> None:
        plain = stat.S_ISREG(os.fstat(handle).st_mode)
        start = os.pread(handle, len(HEADER), 0) if plain else b""
        if not plain or not HEADER.startswith(start):
            raise Refused(
                [
                    Diagnostic(
                        id="not-a-store",
                        message=f"{self.path} is not a tuning store",
                        help="give another file with --store, which may be a new one",
                    )
                ]
            )

    def _read_from(self, handle: int) -> None:
        self._refuse_foreign(handle)
        now = os.fstat(handle)
        if now.st_size > _LARGEST:
            raise OSError(errno.EFBIG, "it is larger than 256 MiB")
        if now.st_ino != self._inode or now.st_size < self._read:
            # Another file has taken the place of the one that was read.
            self._inode, self._read, self.damaged = now.st_ino, 0, 0
            self._records.clear()
        data = os.pread(handle, now.st_size - self._read, self._read)
        # What follows the last line end is being written, or was never finished.
        end = data.rfind(b"\n") + 1
        self._read += end
        lines = data.count(b"\n", 0, end)
        # Only what begins as a line of ours is looked at: there may be millions of others.
        for match in _LINE.finditer(data, 0, end):
            lines -= 1
            if match[0] != HEADER:
                self._take(match[0])
        self.damaged += lines

    def _take(self, line: bytes) -> None:
        record = _parsed(line)
        if record is None:
            self.damaged += 1
        else:
            self._records.append(record)


def _parsed(line: bytes) -> Measured | Verdict | None:
    """The record of a line; None where it is damaged."""
    try:
        value = json.loads(line)
        record = value["record"]
        text = json.dumps(record, sort_keys=True, separators=(",", ":"), allow_nan=False)
        return record_of(record) if value["check"] == _check(text) else None
    except (ValueError, KeyError, TypeError, RecursionError, ValidationError):
        return None


def _write(handle: int, data: bytes, end: int) -> None:
    """All of the data or, where the disk is full, none of it."""
    try:
        done = 0
        while done < len(data):
            done += os.pwrite(handle, data[done:], end + done)
        os.fsync(handle)
    except OSError:
        os.ftruncate(handle, end)
        raise


def _unusable(path: Path, verb: str, error: OSError | ValueError) -> MissingPart:
    return MissingPart(f"cannot {verb} the tuning store {path}: {reason(error)}", "give another place with --store")
