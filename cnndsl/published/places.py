"""Where published weights lie on this machine: in a folder of weights, in torch.hub's cache, in an installed package."""

from __future__ import annotations

import os
from hashlib import sha256
from importlib import metadata
from pathlib import Path

from cnndsl.diagnostics.errors import CnnError, Diagnostic
from cnndsl.disk.files import is_file, open_file
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
    # Files in packages have names such as `model.json`, which are no other network's in a folder of their own.
    return weights_folder() / (name if entry.url else f"{entry.network}-{entry.which}/{name}")


def found(entry: Published) -> Path | None:
    """The file of the weights where it lies, its sum compared; None where it is nowhere.

    Raises `CnnError` (wrong-checksum) for a file that is not the published one.
    """
    for path in (place(entry), _installed(entry)):
        if path is not None and is_file(path):
            check(path, entry.sha256)
            for name, sum in entry.beside.items():
                check(path.with_name(name), sum)
            return path
    return None


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
    digest = sha256()
    with open_file(path) as file:
        while block := file.read(1 << 20):
            digest.update(block)
    if not digest.hexdigest().startswith(expected):
        raise CnnError(
            [
                Diagnostic(
                    "wrong-checksum",
                    f"{path} is not the file that was published",
                    notes=(f"expected a SHA-256 sum of {expected}, found {digest.hexdigest()}",),
                    help="delete it, and fetch it again",
                )
            ]
        )
