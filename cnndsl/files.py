"""Files that appear whole or not at all."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from cnndsl.errors import MissingPart


def write_atomically(path: Path, content: str | bytes) -> None:
    """Writes the content aside and renames it to `path`, making the folders above it.

    Text is UTF-8 with the line ends it has. Raises `MissingPart` where the machine does not let us write.
    """
    with written_aside(path) as file:
        file.write(content.encode() if isinstance(content, str) else content)


@contextmanager
def written_aside(path: Path) -> Iterator[BinaryIO]:
    """A file to write into that becomes `path` when the block ends; whatever goes wrong, `path` stays as it was.

    A link stays a link to the file that is replaced. Raises `MissingPart` where the machine does not let us write.
    """
    path = Path(os.path.realpath(path))
    aside: Path | None = None
    try:
        if path.exists() and not path.is_file():
            # A device or a pipe is written into; renaming would put a file in its place.
            with path.open("wb") as file:
                yield file
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
        aside = Path(name)
        with os.fdopen(handle, "wb") as file:
            yield file
            file.flush()
            # A name must not reach the disk before the bytes it stands for.
            os.fsync(file.fileno())
        aside.chmod(_mode(path))
        aside.replace(path)
    except OSError as error:
        raise MissingPart(
            f"cannot write {path}: {error.strerror or error}", "give a place that can be written to"
        ) from error
    finally:
        if aside is not None:
            aside.unlink(missing_ok=True)


def _mode(path: Path) -> int:
    """The mode of the file that is replaced, else the one a plainly opened file gets."""
    try:
        return path.stat().st_mode & 0o777
    except FileNotFoundError:
        mask = os.umask(0)
        os.umask(mask)
        return 0o666 & ~mask
