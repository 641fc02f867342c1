"""Guards `sweeping/cluster.py`: a scheduler and two workers on loopback, one of which is killed in mid-run."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from cnndsl.cli import run
from cnndsl.diagnostics.errors import MissingPart
from cnndsl.sweeping.call import sweep
from tests.sweeping.programs import NET

ROOT = Path(__file__).resolve().parents[2]


@contextmanager
def process(module: str, *words: str, ready: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A process of Dask's that has said the pattern `ready`, and what that matched."""
    started = subprocess.Popen(
        [sys.executable, "-m", f"distributed.cli.{module}", *words, "--no-dashboard"],
        stderr=subprocess.PIPE,
        encoding="utf-8",
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    try:
        assert started.stderr is not None
        found = next(match[0] for line in started.stderr if (match := re.search(ready, line)))
        yield started, found
    finally:
        started.kill()
        started.communicate()


@contextmanager
def cluster() -> Iterator[tuple[str, list[subprocess.Popen[str]]]]:
    with ExitStack() as stack:
        words = ("--host", "127.0.0.1", "--port", "0", "--no-show")
        scheduler, address = stack.enter_context(process("dask_scheduler", *words, ready=r"tcp://127\.0\.0\.1:\d+"))
        workers = [
            stack.enter_context(
                process("dask_worker", address, "--nthreads", "1", "--no-nanny", ready="Registered to")
            )[0]
            for _ in range(2)
        ]
        yield address, [scheduler, *workers]


@pytest.mark.slow
def test_a_worker_that_is_killed_in_mid_run_loses_no_variant(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("distributed")
    monkeypatch.chdir(tmp_path)
    Path("net.cnn").write_text(NET, "utf-8")
    widths = range(2, 2402, 2)
    with cluster() as (address, running):
        found = sweep("net.cnn", width=widths, scheduler=address, into="rows.jsonl")
        first = [next(found) for _ in range(300)]
        running[1].kill()
        rows = [*first, *found]
    assert rows == list(sweep("net.cnn", width=widths, jobs=1))
    assert len(set(Path("rows.jsonl").read_text("utf-8").splitlines())) == 1 + len(widths)


@pytest.mark.slow
def test_a_scheduler_that_goes_is_told_and_the_sweep_goes_on_without_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("distributed")
    monkeypatch.chdir(tmp_path)
    Path("net.cnn").write_text(NET, "utf-8")
    with cluster() as (address, running):
        found = sweep("net.cnn", width=range(2, 2402, 2), scheduler=address, into="rows.jsonl")
        next(found)
        running[0].kill()
        with pytest.raises(MissingPart, match="is gone"):
            list(found)
    before = len(Path("rows.jsonl").read_text("utf-8").splitlines())
    assert before > 1
    assert run(["sweep", "net.cnn", "-P", "width=2..2400:2", "--into", "rows.jsonl", "--best", "macs"]) == 0
    assert "1,200 variants" in capsys.readouterr().err


@pytest.mark.slow
def test_an_address_where_nobody_listens_is_told(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("distributed")
    monkeypatch.setattr("cnndsl.sweeping.cluster.SECONDS", 0.2)
    assert run(["sweep", "lenet5", "--scheduler", "tcp://127.0.0.1:9"]) == 3
    assert "no scheduler answers at tcp://127.0.0.1:9" in capsys.readouterr().err
