"""Figures of the built-in networks that were worked out once are kept in the user's cache, so that `cnndsl list` starts at once."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import asdict
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cnndsl.diagnostics.errors import MissingPart
from cnndsl.disk import shelf
from cnndsl.disk.files import is_file, open_file, write_atomically
from cnndsl.version import __version__

if TYPE_CHECKING:
    from cnndsl.reference.gallery import Row

_MOST_BYTES = 10_000_000
_ROOMS = ("ops", "ir", "passes", "analyses", "reference", "syntax")
"""Rooms whose code has a part in the figures."""


def rows() -> Iterator[Row]:
    """The row of each built-in network, one after the other: known ones at once, others as they are worked out."""
    from cnndsl.reference.gallery import Row, figures_of

    path = _path()
    known = _read(path)
    names = shelf.architectures()
    fresh = {}
    for name in names:
        row = Row(**known[name]) if name in known else figures_of(name)
        fresh[name] = asdict(row)
        yield row
    if fresh != known:
        try:
            write_atomically(path, json.dumps(fresh))
        except MissingPart:
            # A home that cannot be written to costs time and nothing else.
            return


def _path() -> Path:
    given = os.environ.get("XDG_CACHE_HOME", "")
    cache = Path(given) if Path(given).is_absolute() else Path.home() / ".cache"
    return cache / "cnndsl" / f"figures-{_version()}.json"


def _version() -> str:
    """Changes with the networks' texts, and with the code that works their figures out."""
    parts = [__version__, *(source.text for source in shelf.sources())]
    root = Path(__file__).resolve().parents[1]
    for room in _ROOMS:
        for file in sorted(root.joinpath(room).rglob("*.py")):
            about = file.stat()
            parts.append(f"{file.name} {about.st_size} {about.st_mtime_ns}")
    return sha256("\n".join(parts).encode()).hexdigest()[:16]


def _read(path: Path) -> dict[str, dict[str, Any]]:
    """What is kept; nothing where it is damaged."""
    if not is_file(path):
        return {}
    from cnndsl.reference.gallery import Row

    fields = set(Row.__dataclass_fields__)
    try:
        with open_file(path) as file:
            found = json.loads(file.read(_MOST_BYTES))
        return {name: row for name, row in found.items() if isinstance(row, dict) and row.keys() == fields}
    except (ValueError, AttributeError, RecursionError):
        return {}
