"""What may lie at a path besides the file that was meant, and a limit of time and memory for what goes there."""

from __future__ import annotations

import os
import resource
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

SECONDS = 20
GIGABYTES = 4
SECRET = "root:x:0:0:root:/root:/bin/sh\n"


def fifo(path: Path) -> None:
    os.mkfifo(path)


def device(path: Path) -> None:
    path.symlink_to("/dev/zero")


def folder(path: Path) -> None:
    path.mkdir()


def dangling(path: Path) -> None:
    path.symlink_to(path.parent / "nowhere")


def loop(path: Path) -> None:
    path.symlink_to(path.name)


def outside(path: Path) -> None:
    """A link to a file of the system, which is none of the kind that is wanted."""
    secret = path.parent.parent / "passwd"
    secret.write_text(SECRET)
    path.symlink_to(secret)


def unreadable(path: Path) -> None:
    path.write_text("")
    path.chmod(0)


def missing(path: Path) -> None:
    """Nothing."""


def below_a_file(path: Path) -> None:
    """Its folder is a file: `place` gives the name."""
    path.parent.joinpath("plain").write_text("")


KINDS: dict[str, Callable[[Path], None]] = {
    made.__name__: made for made in (fifo, device, folder, dangling, loop, outside, unreadable, missing, below_a_file)
}
NAMES = ("nul", "long", *KINDS)
"""All of them; no argument of a command can hold a NUL."""


def place(kind: str, where: Path, ending: str) -> str:
    """A path with this ending in a new folder, where something of that kind lies."""
    inner = where / "inner"
    inner.mkdir()
    if kind == "nul":
        return f"{inner}/na\0me{ending}"
    if kind == "long":
        return f"{inner}/{'n' * 300}{ending}"
    path = inner / f"name{ending}"
    KINDS[kind](path)
    return str(inner / "plain" / path.name if kind == "below_a_file" else path)


def state(where: Path) -> list[tuple[str, int, str]]:
    """Kinds and contents of what lies there."""
    found = []
    for path in sorted(where.rglob("*")):
        kind = path.lstat().st_mode & 0o170000
        found.append((path.name, kind, str(path.readlink()) if path.is_symlink() else ""))
    return found


@contextmanager
def limited() -> Iterator[None]:
    """Ends what waits for a pipe or reads a device without end."""

    def late(*_: object) -> None:
        raise AssertionError(f"not done in {SECONDS} seconds")

    pages = int(Path("/proc/self/statm").read_text().split()[0]) if Path("/proc/self/statm").exists() else 0
    before = resource.getrlimit(resource.RLIMIT_AS)
    handler = signal.signal(signal.SIGALRM, late)
    signal.setitimer(signal.ITIMER_REAL, SECONDS)
    if pages:
        resource.setrlimit(resource.RLIMIT_AS, (pages * os.sysconf("SC_PAGE_SIZE") + (GIGABYTES << 30), before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, before)
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, handler)


@contextmanager
def as_nobody(where: Path) -> Iterator[None]:
    """Not as root, who may read everything."""
    if os.geteuid():
        yield
        return
    for folder in (where, *where.parents):
        if folder.stat().st_uid == 0 and folder != Path("/"):
            folder.chmod(folder.stat().st_mode | 0o055)
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)
