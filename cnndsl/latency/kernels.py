"""Whether a machine was measured with the kernels that there are now."""

from __future__ import annotations

from functools import cache
from hashlib import sha256
from importlib.resources import files
from typing import Any


@cache
def digest() -> str:
    """Of the sources of all kernels: measurements of others than these may be wrong."""
    text = sha256()
    for path in sorted(_sources(files("cnndsl.backends.tvm.kernels")), key=lambda path: str(path).replace("\\", "/")):
        # A checkout under Windows may end its lines in another way.
        text.update(path.read_bytes().replace(b"\r\n", b"\n"))
    return text.hexdigest()[:16]


def _sources(folder: Any) -> list[Any]:
    found: list[Any] = []
    for path in folder.iterdir():
        if path.is_dir():
            found += _sources(path)
        elif path.name.endswith(".py"):
            found.append(path)
    return found


def outdated_words(machine: str) -> str:
    """What is said of times on a machine of that name where it was measured with other kernels."""
    return (
        f"{machine} was measured with other kernels than these, and times on it may be wrong: "
        "run `cnndsl limits` there again"
    )
