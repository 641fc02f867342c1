"""Files that appear whole or not at all."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from cnndsl.errors import MissingPart


def write_atomically(path: Path, content: str | bytes) -> None:
    """Writes the content aside and renames it to `path`, making the folders above it.

    Text is UTF-8 with the line ends it has. Raises `MissingPart` where the machine does not let us write.
    """
    data = content.encode() if isinstance(content, str) else content
    path = Path(os.path.realpath(path))
    aside: Path | None = None
    try:
        if path.exists() and not path.is_file():
            # A device or a pipe is written into; renaming would put a file in its place.
            path.write_bytes(data)
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
        aside = Path(name)
        with os.fdopen(handle, "wb") as file:
            file.write(data)
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
