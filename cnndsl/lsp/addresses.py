"""Files as addresses of the protocol. A built-in text that is no file of its own, as in a zip, has the scheme `cnndsl:`."""

from __future__ import annotations

import os
from pathlib import Path
from urllib.parse import unquote, urlsplit
from urllib.request import url2pathname

from cnndsl.disk import shelf

SCHEME = "cnndsl"


def path_of(uri: str) -> Path | None:
    """The path of a `file:` address; None for any other, such as a text that has not been saved."""
    try:
        parts = urlsplit(uri)
    except ValueError:
        return None
    if parts.scheme != "file" or not parts.path:
        return None
    host = f"//{parts.netloc}" if parts.netloc not in ("", "localhost") else ""
    try:
        return Path(os.path.normpath(host + url2pathname(parts.path)))
    except ValueError:
        return None


def name_of(uri: str) -> str:
    """A name for the text of an address, for what is said of it."""
    path = path_of(uri)
    return str(path) if path is not None else unquote(uri.rpartition("/")[2]) or "untitled"


def uri_of(file: Path | str) -> str:
    """The address of a file, or of what ships with cnndsl by its name: `architectures/resnet.cnn`, `docs/errors/syntax.md`."""
    if isinstance(file, Path):
        return file.absolute().as_uri()
    folder, _, name = file.rpartition("/")
    try:
        inside = shelf.folder(folder or "architectures").joinpath(name)
    except FileNotFoundError:
        return f"{SCHEME}:/{file}"
    if isinstance(inside, Path) and inside.is_file():
        return inside.as_uri()
    return f"{SCHEME}:/{file}"


def text_of(uri: str) -> str | None:
    """The text of a built-in file by its address; None for an address of anything else."""
    scheme, _, name = uri.partition(":")
    found = next((s for s in shelf.sources() if s.name == name.lstrip("/")), None) if scheme == SCHEME else None
    return found.text if found is not None else None
