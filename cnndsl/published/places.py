"""Where published weights lie on this machine: in a folder of weights, in torch.hub's cache, in an installed package."""

from __future__ import annotations

import os
import re
from hashlib import sha256
from importlib import metadata
from pathlib import Path
from typing import NoReturn

from cnndsl.diagnostics.errors import CnnError, Diagnostic, MissingPart
from cnndsl.disk.files import is_file, open_file, read_text, write_atomically
from cnndsl.published.table import Published


def weights_folder() -> Path:
    """Where weights are put that are fetched: `$CNNDSL_WEIGHTS`, else where torch.hub keeps its own."""
    if given := os.environ.get("CNNDSL_WEIGHTS"):
        return Path(given)
    home = os.environ.get("TORCH_HOME")
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return (Path(home) if home else cache / "torch") / "hub" / "checkpoints"


def place(entry: Published) -> Path:
    """Where the weights lie in the folder of weights, whether they are there or not."""
    name = (entry.file or entry.url).rpartition("/")[2]
    # Files in packages and on hubs have names such as `model.json`, which are no other network's in a folder of their own.
    return weights_folder() / (name if entry.url and entry.sha256 else f"{entry.network}-{entry.which}/{name}")


def found(entry: Published) -> Path | None:
    """The file of the weights where it lies, its sum compared; None where it is nowhere.

    Raises `CnnError` (wrong-checksum) for a file that is not the published one, and `MissingPart` for one whose sum nobody
    says.
    """
    for path in (place(entry), _installed(entry)):
        if path is not None and is_file(path):
            check(path, entry.sha256 or noted(path) or refuse_unsaid(entry))
            for name, sum in entry.beside.items():
                check(path.with_name(name), sum)
            return path
    return None


def noted(path: Path) -> str:
    """The sum that a file had, or was said to have, when it came; "" where none was noted."""
    note = _note(path)
    words = read_text(note).split() if is_file(note) else []
    return words[0] if words and re.fullmatch(r"[0-9a-f]{64}", words[0]) else ""


def write_note(path: Path) -> None:
    """Notes a file's sum beside it, as `sha256sum` writes it: from now on the file must have it."""
    write_atomically(_note(path), f"{sum_of(path)}  {path.name}\n")


def _note(path: Path) -> Path:
    return path.with_name(f"{path.name}.sha256")


def refuse_unsaid(entry: Published) -> NoReturn:
    """Raises `MissingPart`: a file that cannot be told from another one is taken only by who says so."""
    fetch = f"cnndsl weights fetch {entry.name}"
    raise MissingPart(
        f"the publisher of {entry.name} says no SHA-256 sum, so that nobody can tell whether a file is the one",
        f"`{fetch} --sha256 SUM` with a sum from elsewhere, or `{fetch} --unverified`, which takes the file that comes "
        "and remembers its sum",
    )


def here(entry: Published) -> bool:
    """Whether there is a file that the weights may be, not yet compared."""
    return any(path is not None and is_file(path) for path in (place(entry), _installed(entry)))


def _installed(entry: Published) -> Path | None:
    """The file in an installed package of that very version; the package is not imported."""
    name, equals, version = entry.package.partition("==")
    if not equals:
        return None
    try:
        distribution = metadata.distribution(name)
    except metadata.PackageNotFoundError:
        return None
    return Path(str(distribution.locate_file(entry.file))) if distribution.version == version else None


def check(path: Path, expected: str) -> None:
    """Raises `CnnError` (wrong-checksum) where the file's SHA-256 sum does not begin with what is expected."""
    own = sum_of(path)
    if not own.startswith(expected):
        raise CnnError(
            [
                Diagnostic(
                    "wrong-checksum",
                    f"{path} is not the file that was published",
                    notes=(f"expected a SHA-256 sum of {expected}, found {own}",),
                    help="delete it, and fetch it again",
                )
            ]
        )


def sum_of(path: Path) -> str:
    """A file's SHA-256 sum."""
    digest = sha256()
    with open_file(path) as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()
