"""A zip archive of JSON and raw numbers, as PyTorch writes exported programs: read within limits."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Mapping
from typing import Any, BinaryIO

from cnndsl.importing.readers.first_bytes import MOST_LOOKED_AT, kind_of
from cnndsl.importing.refuse import EXPORT_AGAIN, Unread

MOST_JSON = 200_000_000
_OF_ARCHIVE = (
    "write the program with `torch.export.save`; of a `.pt` or `.pth` with weights, or a module, build the module in Python "
    "and give it to `cnndsl.from_torch(module, (3, 224, 224))`"
)


def entries_of(archive: zipfile.ZipFile) -> dict[str, zipfile.ZipInfo]:
    """What is in an archive by its path there, the folder around all of it left out."""
    return {info.filename.partition("/")[2]: info for info in archive.infolist()}


def json_in(archive: zipfile.ZipFile, path: str) -> Any:
    """The JSON of an entry. Raises `Unread`."""
    entries = entries_of(archive)
    info = entries.get(path)
    if info is None:
        raise Unread(
            "it is a zip archive, and no exported program",
            _OF_ARCHIVE,
            f"expected: `{path}`; found: {_listed(entries)}",
        )
    data = b""
    if info.file_size <= MOST_JSON:
        with archive.open(info) as file:
            data = file.read(MOST_JSON + 1)
    if max(info.file_size, len(data)) > MOST_JSON:
        raise Unread(f"its `{path}` has more than {MOST_JSON:,} bytes", "give a smaller network")
    return json.loads(data)


def no_archive(file: BinaryIO, error: str) -> tuple[str, ...]:
    """What to do, and what was found, for a file that is no archive."""
    file.seek(0)
    head = file.read(MOST_LOOKED_AT)
    kind = kind_of(head)
    if head.startswith(b"PK"):
        return EXPORT_AGAIN, f"expected: a whole zip archive; found: {error}"
    return kind.help, f"expected: a zip archive; found: {kind.what}"


def _listed(entries: Mapping[str, zipfile.ZipInfo]) -> str:
    names = list(entries)
    more = f", … {len(names) - 4} more" if len(names) > 4 else ""
    return ", ".join(f"`{name[:40]}`" for name in names[:4]) + more if names else "nothing"
