"""Whatever lies at a path: it is read, written or refused; nothing is waited for, and no link leads out of a package."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest

from cnndsl import pipeline
from cnndsl.arrays.weights import initial_weights, write_weights
from cnndsl.cli import run
from cnndsl.diagnostics.errors import CnnError, MissingPart
from tests.fuzz import made
from tests.trust.places import KINDS, NAMES, as_nobody, limited, place, state

np = pytest.importorskip("numpy")

NETWORK = "input 1×8×8\nConv3x3(4) → ReLU → GlobalAvgPool → FC(10)"
READERS = {
    "check": ("check {}", ".cnn"),
    "summary": ("summary {}", ".cnn"),
    "ir": ("summary {}", ".json"),
    "model": ("summary {}:Model", ".cnn"),
    "fmt": ("fmt {}", ".cnn"),
    "safetensors": ("weights check n.cnn {}", ".safetensors"),
    "pth": ("weights check n.cnn {}", ".pth"),
    "export": ("compile n.cnn --to safetensors -o out.safetensors --weights {}", ".pt"),
    "fields": ("draw n.cnn --style rf -o out.svg --image {}", ".png"),
    "evaluated": ("evaluate n.cnn --data digits --weights {}", ".safetensors"),
    "data": ("evaluate n.cnn --weights w.safetensors --data {}", ".npz"),
    "folder": ("evaluate n.cnn --weights w.safetensors --data {}", ""),
    "run": ("evaluate {}", ""),
    "picture": ("predict n.cnn --weights w.safetensors {}", ".png"),
    "labels": ("predict n.cnn --weights w.safetensors --labels {} p.png", ".txt"),
    "cam": ("inspect n.cnn --weights w.safetensors -o out.svg --grad-cam {}", ".png"),
    "config": ("train n.cnn --config {}", ".toml"),
    "taught": ("train n.cnn --data {}", ".npz"),
    "init": ("train n.cnn --init {}", ".safetensors"),
    "resume": ("train --resume {}", ""),
    "package": ("run {} --self-test", ""),
}
"""Verbs with a path that they read, and how it ends."""
WRITERS = {
    "torch": ("compile n.cnn --to torch -o {}", ".py"),
    "ir": ("compile n.cnn --to ir -o {}", ".json"),
    "safetensors": ("compile n.cnn --to safetensors -o {}", ".safetensors"),
    "init": ("weights init n.cnn -o {}", ".safetensors"),
    "dot": ("draw n.cnn -o {}", ".dot"),
    "fields": ("draw n.cnn --style rf --image p.png -o {}", ".svg"),
    "confusion": ("evaluate n.cnn --weights w.safetensors --data d.npz -o {}", ".svg"),
}


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder with a network, its weights, a picture and data."""
    image = pytest.importorskip("PIL.Image")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "n.cnn").write_text(NETWORK, "utf-8")
    write_weights(tmp_path / "w.safetensors", initial_weights(pipeline.load("n.cnn").graph, 0))
    image.new("L", (9, 9)).save(tmp_path / "p.png")
    np.savez(tmp_path / "d.npz", images=np.zeros((20, 8, 8), np.uint8), labels=np.arange(20) % 10)
    return tmp_path


def told(command: str, path: str, capsys: pytest.CaptureFixture[str]) -> tuple[int, str]:
    """Exit code, and what was said on stderr."""
    with limited():
        code = run([word.replace("{}", path) for word in command.split()])
    return code, capsys.readouterr().err


@pytest.mark.parametrize("kind", NAMES[1:])
@pytest.mark.parametrize("verb", READERS)
def test_what_lies_where_a_verb_reads_is_read_or_refused(
    here: Path, verb: str, kind: str, capsys: pytest.CaptureFixture[str]
) -> None:
    command, ending = READERS[verb]
    path = place(kind, here, ending)
    before = state(here)
    with as_nobody(here) if kind == "unreadable" else nullcontext():
        code, said = told(command, path, capsys)
    assert 1 <= code <= 3, said
    assert "Traceback" not in said
    assert said.count("error") + said.count("Error") >= 1
    assert state(here) == before


@pytest.mark.parametrize("kind", NAMES[1:])
@pytest.mark.parametrize("verb", WRITERS)
def test_what_lies_where_a_verb_writes_is_replaced_or_left(
    here: Path, verb: str, kind: str, capsys: pytest.CaptureFixture[str]
) -> None:
    command, ending = WRITERS[verb]
    path = place(kind, here, ending)
    before = state(here)
    code, said = told(command, path, capsys)
    assert "Traceback" not in said
    # A link stays one, and what it leads to is written; whoever may write to the folder replaces what they may not read.
    fine = kind in ("device", "dangling", "outside", "missing", "unreadable")
    assert code == (0 if fine else 3), said
    kept = state(here)
    assert set(before) - {found for found in before if kind == "unreadable" and found[0] == Path(path).name} <= set(
        kept
    )
    if not fine:
        assert kept == before


def _readers() -> dict[str, tuple[Callable[[str], Any], str]]:
    """The calls from Python, and how the paths end that they take."""
    from cnndsl.arrays.inputs import read_arrays, read_image
    from cnndsl.arrays.weights import read_weights
    from cnndsl.backends.tvm.package import loaded as runtime
    from cnndsl.backends.tvm.tuning.store import Store
    from cnndsl.disk.files import open_file, read_text
    from cnndsl.training.config import read_config
    from cnndsl.training.data.find import find_data
    from cnndsl.training.loop.checkpoint import unpacked
    from cnndsl.training.run import open_run

    return {
        "load": (pipeline.load, ".cnn"),
        "check": (lambda path: refuse(pipeline.check(path)), ".cnn"),
        "load ir": (pipeline.load, ".json"),
        "open_file": (lambda path: refuse(open_file(path).close()), ""),
        "read_text": (lambda path: refuse(read_text(path)), ".txt"),
        "read_weights": (read_weights, ".safetensors"),
        "read_weights pth": (read_weights, ".pth"),
        "read_image": (lambda path: read_image(path, (3, 8, 8)), ".png"),
        "read_arrays": (read_arrays, ".npy"),
        "find_data": (find_data, ".npz"),
        "find_data folder": (find_data, ""),
        "read_config": (lambda path: read_config(Path(path)), ".toml"),
        "open_run": (lambda path: open_run(Path(path)), ""),
        "unpacked": (lambda path: unpacked(Path(path)), ".safetensors"),
        "load package": (runtime.load, ""),
        "store": (lambda path: refuse(Store(Path(path)).records), ".jsonl"),
    }


def _writers() -> dict[str, tuple[Callable[[str], Any], str]]:
    """The calls from Python that write in their own way, and how the paths end that they take."""
    from cnndsl.backends.tvm.package.export import refuse_foreign
    from cnndsl.backends.tvm.tuning.records import Measured, Place
    from cnndsl.backends.tvm.tuning.store import Store
    from cnndsl.disk.files import write_atomically
    from cnndsl.training.run import refuse_occupied

    record = Measured(place=Place(target="x", threads=1, tvm="0"), key="k", setting={}, seconds=1.0)

    def run_folder(path: str) -> None:
        refuse_occupied(Path(path))
        write_atomically(Path(path) / "run.json", "{}")

    def package_folder(path: str) -> None:
        refuse_foreign(Path(path))
        made.small_package().export(path)

    return {
        "store": (lambda path: Store(Path(path)).append(record), ".jsonl"),
        "write": (lambda path: write_atomically(Path(path), "text"), ".txt"),
        "run": (run_folder, ""),
        "package": (package_folder, ""),
    }


@pytest.mark.parametrize("kind", NAMES)
@pytest.mark.parametrize("writer", _writers())
def test_what_lies_where_a_call_writes_is_replaced_or_left(here: Path, writer: str, kind: str) -> None:
    write, ending = _writers()[writer]
    path = place(kind, here, ending)
    before = state(here)
    made.small_package()
    try:
        with limited():
            write(path)
    except (CnnError, MissingPart):
        assert state(here) == before
    else:
        assert kind in ("missing", "dangling", "device", "outside", "unreadable", "folder")
        assert set(before) - {found for found in before if found[0] == Path(path).name} <= set(state(here))


def refuse(found: object) -> None:
    """What says nothing, or says it without raising, is a refusal here."""
    raise CnnError(found if isinstance(found, tuple) else ())


@pytest.mark.parametrize("kind", NAMES)
@pytest.mark.parametrize("reader", _readers())
def test_what_lies_where_a_call_reads_is_read_or_refused(here: Path, reader: str, kind: str) -> None:
    read, ending = _readers()[reader]
    path = place(kind, here, ending)
    before = state(here)
    nobody = as_nobody(here) if kind == "unreadable" else nullcontext()
    with limited(), nobody, pytest.raises((CnnError, MissingPart)):
        read(path)
    assert state(here) == before


def test_a_link_to_a_file_is_the_file(here: Path) -> None:
    """Names of a user's own may be links, as weights often are."""
    for name in ("n.cnn", "w.safetensors", "p.png", "d.npz"):
        (here / f"link-{name}").symlink_to(here / name)
    for command in (
        "weights check link-n.cnn link-w.safetensors",
        "predict link-n.cnn --weights link-w.safetensors link-p.png",
    ):
        assert run(command.split()) == 0


@pytest.mark.parametrize("kind", ["fifo", "device", "loop"])
def test_a_package_is_not_written_over_a_folder_with_something_else_for_a_manifest(here: Path, kind: str) -> None:
    (here / "package").mkdir()
    KINDS[kind](here / "package" / "manifest.json")
    with limited(), pytest.raises(CnnError, match="not-a-package"):
        made.small_package().export(here / "package")


def test_a_pipe_that_is_read_is_written_into(here: Path) -> None:
    os.mkfifo(here / "pipe")
    reader = os.open(here / "pipe", os.O_RDONLY | os.O_NONBLOCK)
    try:
        with limited():
            assert run(["compile", "n.cnn", "--to", "torch", "-o", "pipe"]) == 0
        assert b"class " in os.read(reader, 1 << 16)
        assert stat.S_ISFIFO((here / "pipe").stat().st_mode)
    finally:
        os.close(reader)


@pytest.mark.parametrize("kind", NAMES[2:])
def test_what_lies_where_use_reads_is_read_or_refused(here: Path, kind: str) -> None:
    path = place(kind, here, ".cnn")
    Path("user.cnn").write_text(f'use A from "{Path(path).relative_to(here)}"\ninput 3\nA', "utf-8")
    with limited(), as_nobody(here) if kind == "unreadable" else nullcontext(), pytest.raises(CnnError) as caught:
        pipeline.load("user.cnn")
    assert caught.value.diagnostics[0].id in ("path-outside-project", "file-not-found", "syntax", "unknown-name")
