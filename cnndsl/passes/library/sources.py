"""Where a `use` finds its file: among the built-in architectures, or beside the file that uses it.

Beside it is on the disk, unless another `Finder` is given: one that looks into an old revision, or at texts at hand.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from cnndsl.diagnostics.errors import CnnError, fault
from cnndsl.diagnostics.nearest import nearest
from cnndsl.diagnostics.source import Source, Span
from cnndsl.disk import shelf
from cnndsl.disk.files import is_file, open_file
from cnndsl.syntax import tree
from cnndsl.syntax.scan import MOST_BYTES, decode


@dataclass(frozen=True)
class UsedFile:
    """A file that is used: its name in messages, its path unless it is built in, and its text where that is at hand."""

    name: str
    path: Path | None
    text: Source | None = None

    def read(self) -> Source:
        """The text. Raises CnnError (`file-not-found`, `not-utf8`, `source-too-long`)."""
        if self.text is not None:
            return self.text
        assert self.path is not None
        with open_file(self.path) as file:
            return decode(self.name, file.read(MOST_BYTES + 1))


Finder = Callable[[str, str, Path | None, Span], UsedFile]
"""Finds the file that a text in quotes names: that text, the name and the path of the file that uses it, and the place to point at."""


def used_file(statement: tree.Use, user: str, path: Path | None, find: Finder) -> UsedFile:
    """What a `use` names, in the file called `user` that lies at `path` if it is a file.

    Nothing outside that file's project is read. Raises CnnError (`unknown-architecture`, `path-outside-project`,
    `file-not-found`, `source-too-long`).
    """
    if statement.is_file:
        refuse_no_name(statement.origin, statement.origin_span)
        return find(statement.origin, user, path, statement.origin_span)
    source = shelf.architecture(statement.origin)
    if source is None:
        close = nearest(statement.origin, shelf.architectures())
        raise fault(
            "unknown-architecture",
            f"no built-in architecture is called `{statement.origin}`",
            statement.origin_span,
            help=f"did you mean `{close}`?" if close else "`cnndsl list` names them; a file is written in quotes",
        )
    return UsedFile(source.name, None, source)


def refuse_no_name(written: str, span: Span) -> None:
    """Raises CnnError (`file-not-found`) for a text that can be no file's name."""
    if "\x00" in written or not 0 < len(written) <= 1000 or max(map(len, written.split("/"))) > 200:
        raise fault(
            "file-not-found",
            "a file's name is empty, too long or holds a NUL",
            span,
            help="write the name of a file beside this one",
        )


def on_disk(written: str, user: str, path: Path | None, span: Span) -> UsedFile:
    """The file that a text in quotes names, links resolved."""
    here = (path.parent if path else Path.cwd()).resolve()
    root = _project(here)
    file = Path(os.path.realpath(here / written))
    if not file.is_relative_to(root) or Path(written).is_absolute():
        raise outside(written, span, root.name or str(root))
    if not is_file(file):
        raise not_beside(written, user, span)
    if file.stat().st_size > MOST_BYTES:
        raise fault(
            "source-too-long", f"`{written}` has more than {MOST_BYTES:,} bytes", span, help="split it into files"
        )
    return UsedFile(_shown(file), file)


def outside(written: str, span: Span, root: str) -> CnnError:
    """The error of a file that leaves the project."""
    return fault(
        "path-outside-project",
        f"`{written}` leaves the project",
        span,
        f"expected a file inside {root}",
        help="copy it into the project, and use it by a relative path",
    )


def not_beside(written: str, user: str, span: Span) -> CnnError:
    """The error of a file that is not there."""
    return fault(
        "file-not-found",
        f"there is no file `{written}`",
        span,
        f"looked beside {user}",
        help="check the name; it is relative to this file",
    )


def _project(folder: Path) -> Path:
    """The nearest folder above that is a project's, having a `pyproject.toml` or `.git`; without one, the folder itself."""
    for above in (folder, *folder.parents):
        if (above / "pyproject.toml").is_file() or (above / ".git").exists():
            return above
    return folder


def _shown(path: Path) -> str:
    """A file's name in messages: as seen from the working folder, where it lies below it."""
    here = Path.cwd().resolve()
    return str(path.relative_to(here) if path.is_relative_to(here) else path)
