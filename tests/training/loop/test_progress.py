"""Guards `training/loop/progress.py`: the bar on a terminal, which a pseudo-terminal of the standard library stands for."""

from __future__ import annotations

import os
import re
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

import cnndsl

pty = pytest.importorskip("pty")
NETWORK = "input 1×8×8\nFlatten → FC(10)\n"
FIGURES = r"loss \d\.\d{3}  accuracy \d+\.\d%  [\d,]+ images/s \d+:\d\d:\d\d"


@contextmanager
def terminal(monkeypatch: pytest.MonkeyPatch, columns: int) -> Iterator[list[bytes]]:
    """Makes stderr a terminal of so many columns; the list has all that was written there once it is left."""
    ours, theirs = pty.openpty()
    said: list[bytes] = []

    def listen() -> None:
        # Linux says that the other end is closed by an error, others by an empty answer.
        try:
            while part := os.read(ours, 4096):
                said.append(part)
        except OSError:
            pass

    listener = threading.Thread(target=listen)
    listener.start()
    try:
        with monkeypatch.context() as patch, os.fdopen(theirs, "w", encoding="utf-8") as stream:
            patch.setattr(sys, "stderr", stream)
            patch.setenv("COLUMNS", str(columns))
            patch.setenv("TERM", "xterm-256color")
            yield said
    finally:
        listener.join()
        os.close(ours)


@pytest.mark.parametrize("columns", [80, 130])
def test_a_terminal_shows_a_bar_with_figures(columns: int, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with terminal(monkeypatch, columns) as said:
        made = cnndsl.parse(NETWORK).train(folder=tmp_path / "run", epochs=2, augment=())
    text = b"".join(said).decode()
    hidden, shown = text.rfind("\x1b[?25l"), text.rfind("\x1b[?25h")
    assert 0 <= hidden < shown, "the cursor comes back"
    plain = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", text)
    steps = 1438 // 32
    # 44 of 88 steps when the first epoch is done, all of them at the end; between them a bar.
    for epoch in (1, 2):
        assert re.search(rf"epoch {epoch}/2 ━[━╸╺]* +{epoch * steps}/{2 * steps} {FIGURES}", plain), plain
    # Above the bar stands a line for each epoch, as in a pipe.
    for epoch, row in enumerate(made.history, 1):
        assert f"epoch {epoch}/2  loss {row['train_loss']:.4f}  accuracy {row['train_accuracy']:6.2%}" in plain
    # In the end the bar is taken away again.
    assert text[shown:].endswith("\x1b[2K")


def test_the_bar_goes_away_when_training_fails(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from cnndsl.training.loop.learner import Learner

    def broken(*_: object) -> None:
        raise RuntimeError("the machine is on fire")

    monkeypatch.setattr(Learner, "validation_step", broken)
    with terminal(monkeypatch, 100) as said, pytest.raises(RuntimeError, match="on fire"):
        cnndsl.parse(NETWORK).train(folder=tmp_path / "run", epochs=1, augment=())
    text = b"".join(said)
    assert b"epoch 1/1" in text
    assert text.rfind(b"\x1b[?25l") < text.rfind(b"\x1b[?25h")


def test_a_pipe_gets_a_line_for_each_epoch(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    cnndsl.parse(NETWORK).train(folder=tmp_path / "run", epochs=2, augment=())
    lines = capsys.readouterr().err.splitlines()
    assert [line[:11] for line in lines] == ["epoch 1/2  ", "epoch 2/2  "]
    assert "\x1b" not in "".join(lines)
    assert all(line.endswith("0:00 left") for line in lines)
