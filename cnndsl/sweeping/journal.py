"""`--into FILE`: every row as soon as it is known, so that a sweep that was interrupted goes on where it was.

A line is JSON. The first says what the file is, and of which program; a process that dies loses at most the line that it was
writing, which the next sweep cuts off.
"""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from cnndsl.diagnostics.errors import MissingPart, fault
from cnndsl.disk.files import reason
from cnndsl.sweeping.program import Program
from cnndsl.sweeping.rows import Row

MOST_BYTES = 1 << 30
_FORMAT = "cnndsl-sweep"


class Journal:
    """The file of a sweep, open and locked: `known` are the rows that it holds, by their variants' keys.

    Raises `CnnError` (other-sweep) for a file of another program and for another kind of file, and `MissingPart` where the machine
    does not let us read or write.
    """

    def __init__(self, path: Path, program: Program) -> None:
        self.path = path
        self.known: dict[str, Row] = {}
        self._head = {"format": _FORMAT, "schema": 1, "program": program.digest}
        with self._told("open"):
            path.parent.mkdir(parents=True, exist_ok=True)
            # Not blocking, so that a pipe at this path is refused and not waited for.
            handle = os.open(
                path, os.O_RDWR | os.O_CREAT | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0), 0o644
            )
            self._file = os.fdopen(handle, "r+b")
        try:
            if not stat.S_ISREG(os.fstat(handle).st_mode):
                raise self._other("it is no plain file")
            _lock(handle, path)
            self._read()
        except BaseException:
            self._file.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()

    def add(self, rows: Iterable[Row]) -> None:
        """Writes rows behind those that are there. Raises `MissingPart` where there is no room."""
        text = "".join(_line(row.to_json()) for row in rows)
        with self._told("write"):
            self._file.write(text.encode())
            self._file.flush()

    def _read(self) -> None:
        with self._told("read"):
            if os.fstat(self._file.fileno()).st_size > MOST_BYTES:
                raise self._other("it is larger than 1 GiB")
            data = self._file.read()
        end = data.rfind(b"\n") + 1
        lines = data[:end].splitlines()
        if data and not lines:
            raise self._other("its first line is none of ours")
        if lines and _parsed(lines[0]) != self._head:
            head = _parsed(lines[0])
            ours = isinstance(head, dict) and head.get("format") == _FORMAT
            raise self._other(
                "it is of another program, or of another cnndsl" if ours else "it is another kind of file"
            )
        for line in lines[1:]:
            # A damaged line is a variant that is built again.
            row = _row(line)
            if row is not None:
                self.known[row.variant.key] = row
        with self._told("write"):
            self._file.seek(end)
            self._file.truncate()
            if not lines:
                self._file.write(_line(self._head).encode())
                self._file.flush()

    def _other(self, why: str) -> Exception:
        return fault(
            "other-sweep",
            f"`{self.path}` cannot be gone on with: {why}",
            help="give a new file with --into, or delete this one",
        )

    @contextmanager
    def _told(self, verb: str) -> Iterator[None]:
        try:
            yield
        except (OSError, ValueError) as error:
            raise MissingPart(
                f"cannot {verb} {self.path}: {reason(error)}", "give another place with --into"
            ) from error


def _line(told: dict[str, Any]) -> str:
    return json.dumps(told, ensure_ascii=False, separators=(",", ":")) + "\n"


def _parsed(line: bytes) -> Any:
    try:
        return json.loads(line)
    except (ValueError, RecursionError):
        return None


def _row(line: bytes) -> Row | None:
    """The row of a line; None where it is damaged."""
    told = _parsed(line)
    try:
        return Row.from_json(told)
    except (KeyError, TypeError, ValueError, AttributeError):
        return None


def _lock(handle: int, path: Path) -> None:
    """Keeps other sweeps out of the file while it is open. Raises `MissingPart` where one is in it."""
    try:
        import fcntl
    except ModuleNotFoundError:
        # On Windows two sweeps must not be given one file.
        return
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        raise MissingPart(f"another sweep writes to {path}", "wait for it, or give another file with --into") from error
