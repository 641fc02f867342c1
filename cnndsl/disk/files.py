"""Files that are read only where they are files, and that appear whole or not at all.

A path of the user's own may be a link to a file: what it leads to counts. Pipes are not waited for, devices not read without
end, and a name that no file can have is one of no file.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from cnndsl.diagnostics.errors import CnnError, MissingPart, fault

MOST_TEXT_BYTES = 1_000_000
"""Of a file of options or names."""
_PLAINLY = getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)


def is_file(path: Path | str) -> bool:
    """Whether there is a plain file, or a link to one."""
    try:
        return Path(path).is_file()
    except OSError:
        # Such as a name that is too long.
        return False


def is_folder(path: Path | str) -> bool:
    """Whether there is a folder, or a link to one."""
    try:
        return Path(path).is_dir()
    except OSError:
        return False


def exists(path: Path | str) -> bool:
    """Whether anything is there, a link that leads somewhere included."""
    try:
        return Path(path).exists()
    except OSError:
        return False


def open_file(path: Path | str) -> BinaryIO:
    """A plain file, or a link to one, to be read. Raises `CnnError` (file-not-found) where it is none, or may not be read."""
    try:
        # Opening a device can be enough to do something.
        if stat.S_ISREG(Path(path).stat().st_mode):
            handle = os.open(path, os.O_RDONLY | _PLAINLY)
            if stat.S_ISREG(os.fstat(handle).st_mode):
                return os.fdopen(handle, "rb")
            os.close(handle)
    except FileNotFoundError:
        raise _no_file(f"there is no file `{path}`") from None
    except (OSError, ValueError) as error:
        raise _no_file(f"there is no file `{path}` that can be read: {reason(error)}") from None
    what = "a folder" if Path(path).is_dir() else "a pipe or a device"
    raise _no_file(f"`{path}` is {what}, not a file")


def read_text(path: Path | str) -> str:
    """A short text. Raises `CnnError` (file-not-found, source-too-long, not-utf8)."""
    with open_file(path) as file:
        data = file.read(MOST_TEXT_BYTES + 1)
    if len(data) > MOST_TEXT_BYTES:
        raise fault("source-too-long", f"`{path}` has more than {MOST_TEXT_BYTES:,} bytes", help="give a shorter one")
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        raise fault(
            "not-utf8", f"`{path}` is not UTF-8: byte {error.start + 1} is wrong", help="save it as UTF-8"
        ) from None


def reason(error: OSError | ValueError) -> str:
    """Why something cannot be done with a file, in a few words; a name with a NUL is a ValueError."""
    return (error.strerror or str(error)) if isinstance(error, OSError) else "no file has such a name"


def _no_file(message: str) -> CnnError:
    return fault("file-not-found", message, help="check the path")


def write_atomically(path: Path, content: str | bytes) -> None:
    """Writes the content aside and renames it to `path`, making the folders above it.

    Text is UTF-8 with the line ends it has. Raises `MissingPart` where the machine does not let us write.
    """
    with written_aside(path) as file:
        file.write(content.encode() if isinstance(content, str) else content)


@contextmanager
def written_aside(path: Path) -> Iterator[BinaryIO]:
    """A file to write into that becomes `path` when the block ends; whatever goes wrong, `path` stays as it was.

    A link stays a link to the file that is replaced; a device or a pipe that is being read is written into. Raises
    `MissingPart` where the machine does not let us write.
    """
    import tempfile

    try:
        path = Path(os.path.realpath(path))
    except ValueError:
        raise MissingPart(f"cannot write {path}: no file has such a name", "give another name") from None
    aside: Path | None = None
    try:
        if path.exists() and not path.is_file():
            with _special(path) as file:
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


def _special(path: Path) -> BinaryIO:
    """A device or a pipe, in whose place no file must come; a pipe that nobody reads is an OSError, and not waited for."""
    handle = os.open(path, os.O_WRONLY | _PLAINLY)
    os.set_blocking(handle, True)
    return os.fdopen(handle, "wb")


def _mode(path: Path) -> int:
    """The mode of the file that is replaced, else the one a plainly opened file gets."""
    try:
        return path.stat().st_mode & 0o777
    except FileNotFoundError:
        mask = os.umask(0)
        os.umask(mask)
        return 0o666 & ~mask
