"""Readers of what training takes and leaves behind: options, data, labels, runs."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from functools import cache
from pathlib import Path

from cnndsl.diagnostics.errors import CnnError
from tests.fuzz import made


def toml(data: bytes) -> None:
    """A file of options."""
    from cnndsl.diagnostics.render import render_all
    from cnndsl.training.config import read_config, to_toml
    from cnndsl.training.options import Options

    path = made.folder() / "fuzz.toml"
    path.write_bytes(data)
    try:
        found = Options(**read_config(path))
    except CnnError as error:
        assert {d.id for d in error.diagnostics} <= {"wrong-option", "unknown-option", "not-utf8"}
        assert render_all(error.diagnostics)
        return
    path.write_text(to_toml(found), "utf-8")
    assert Options(**read_config(path)) == found


def labels(data: bytes) -> None:
    """Names of classes."""
    from cnndsl.disk.files import read_text

    path = made.folder() / "fuzz.txt"
    path.write_bytes(data)
    _told(lambda: read_text(path).splitlines(), "not-utf8")


def data(data: bytes) -> None:
    """An `.npz` of examples, taken as far as the first epoch."""
    from cnndsl.training.check import check_fits
    from cnndsl.training.data.find import find_data

    path = made.folder() / "fuzz.npz"
    path.write_bytes(data)

    def read() -> None:
        found = find_data(str(path))
        check_fits(made.network(), found)
        found.parts(0.2, 0)
        found.read((1, 8, 8))

    _told(read, "unreadable-array", "unreadable-data", "classes-mismatch", "input-mismatch")


def classes(data: bytes) -> None:
    """A folder of class folders: every line is the name of a file, in which its own name stands."""
    from cnndsl.training.data.find import find_data

    root = made.folder() / "classes"
    shutil.rmtree(root, ignore_errors=True)
    root.mkdir()
    for line in data.split(b"\n")[:20]:
        parts = [part for part in line.replace(b"\0", b"").split(b"/")[:4] if part not in (b"", b".", b"..")]
        path = root.joinpath(*(part[:100].decode("utf-8", "surrogateescape") for part in parts))
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(line)
        except OSError:
            continue

    def read() -> None:
        found = find_data(str(root))
        found.parts(0.5, 0)
        found.read((1, 8, 8))

    _told(read, "unreadable-data", "unreadable-image", "file-not-found")


def run(data: bytes) -> None:
    """`run.json` of a run."""
    _run("run.json", data)


def run_graph(data: bytes) -> None:
    """The network of a run."""
    _run("graph.json", data)


def run_weights(data: bytes) -> None:
    """The weights of a run."""
    _run("best.safetensors", data)


def _run(name: str, data: bytes) -> None:
    from cnndsl.training.run import open_run

    folder = _copy()
    (folder / name).write_bytes(data)
    _told(
        lambda: open_run(folder).weights(),
        "damaged-run",
        "unreadable-weights",
        "weight-mismatch",
        "missing-weight",
        "unexpected-weight",
    )
    shutil.copy(made.run() / name, folder / name)


def checkpoint(data: bytes) -> None:
    """The state of a run, taken up again as far as the first step."""
    from cnndsl.training.loop.checkpoint import unpacked

    path = made.folder() / "fuzz.safetensors"
    path.write_bytes(data)
    _told(lambda: unpacked(path), "damaged-run")


@cache
def _copy() -> Path:
    return Path(shutil.copytree(made.run(), made.folder() / "run-copy"))


def _told(read: Callable[[], object], *ids: str) -> None:
    try:
        read()
    except CnnError as error:
        assert error.diagnostics
        assert {d.id for d in error.diagnostics} <= set(ids), error
