"""Finds a program: by its path, on standard input, or among the built-in architectures."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

from cnndsl.diagnostics.errors import CnnError, fault
from cnndsl.diagnostics.nearest import nearest
from cnndsl.diagnostics.source import COMMAND_LINE, Source, Span
from cnndsl.disk import shelf
from cnndsl.disk.files import is_file, open_file
from cnndsl.disk.kinds import kind_of
from cnndsl.passes.library.sources import Finder, on_disk
from cnndsl.syntax.scan import MOST_BYTES, decode


@dataclass(frozen=True)
class Origin:
    """Where a program comes from: its text, its file if it has one, the name it is built under, the model asked for; and
    where the files that it uses are found."""

    source: Source
    path: Path | None
    stem: str
    model: str | None
    find: Finder = on_disk


def read_program(file: str) -> Origin:
    """A program by path, `path:MODEL`, `-` for standard input, or the name of a built-in architecture.

    Raises CnnError (`file-not-found`, `unknown-architecture`, `not-a-program`, `not-utf8`, `source-too-long`).
    """
    if file == "-":
        return Origin(decode("<stdin>", sys.stdin.buffer.read(MOST_BYTES + 1)), None, "network", None)
    path, model = Path(file), None
    if not is_file(path) and ":" in file:
        name, _, model = file.rpartition(":")
        path = Path(name)
    if is_file(path):
        with open_file(path) as stream:
            data = stream.read(MOST_BYTES + 1)
        _refuse_other_kind(path, data)
        return Origin(decode(str(path), data), path, path.stem, model)
    name = file.rpartition(":")[0] if model else file
    source = shelf.architecture(name)
    if source is None:
        raise _no_file(file, name)
    return Origin(source, None, name, model)


def _refuse_other_kind(path: Path, data: bytes) -> None:
    """Raises `not-a-program` for a file that is known to be something else."""
    kind = kind_of(path.name, data)
    if kind is not None:
        raise fault(
            "not-a-program", f"`{path}` is {kind.what}", notes=("expected the text of a program",), help=kind.as_program
        )


def _no_file(file: str, name: str) -> CnnError:
    built_in = "/" not in name and not name.endswith(".cnn")
    near = nearest(name, shelf.architectures()) if built_in else None
    text = Source(COMMAND_LINE, file)
    return fault(
        "unknown-architecture" if built_in else "file-not-found",
        f"no built-in architecture is called `{name}`, and there is no such file"
        if built_in
        else f"there is no file `{name}`",
        Span(text, 0, len(file)),
        help=f"did you mean `{near}`?"
        if near
        else "`cnndsl list` names the built-in ones"
        if built_in
        else "check the path",
    )
