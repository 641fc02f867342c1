"""Guards `__main__.py` and `cli/shared/outcome.py`. The command as a process: pipes, locales, standard input, start-up."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from resource import RUSAGE_CHILDREN, getrusage

import pytest

from cnndsl.version import __version__

CNNDSL = [sys.executable, "-W", "error", "-m", "cnndsl"]
ROOT = Path(__file__).resolve().parent.parent.parent


def cnndsl(
    *arguments: str, input: bytes = b"", env: dict[str, str] | None = None
) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run([*CNNDSL, *arguments], input=input, env=env, capture_output=True, cwd=ROOT, check=False)


def test_a_program_from_standard_input() -> None:
    done = cnndsl("summary", "-", "--format", "csv", input="input 3×8×8\nConv3x3(8)".encode())
    assert (done.returncode, done.stderr) == (0, b"")
    assert b"224" in done.stdout


@pytest.mark.parametrize(
    "locale", [{"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}, {"PYTHONIOENCODING": "ascii"}]
)
def test_a_stream_that_cannot_say_everything(locale: dict[str, str]) -> None:
    done = cnndsl("summary", "lenet5", env={**os.environ, **locale})
    assert done.returncode == 0
    assert b"lenet5  1?32?32" in done.stdout


def test_a_reader_that_has_enough_ends_it_quietly() -> None:
    with subprocess.Popen(
        [*CNNDSL, "summary", "resnet50", "--format", "json"], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.read(1)
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == 0


def test_the_version_takes_less_than_60_ms_of_cpu() -> None:
    taken = []
    for _ in range(5):
        before = getrusage(RUSAGE_CHILDREN)
        done = cnndsl("--version")
        after = getrusage(RUSAGE_CHILDREN)
        taken.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
        assert done.stdout.decode() == f"cnndsl {__version__}\n"
    # CPU time, and the least of five: wall time on a busy machine says nothing of us.
    assert min(taken) < 0.06


def test_exit_codes_reach_the_shell() -> None:
    assert cnndsl("summary", "resnet18", "-P", "clases=3").returncode == 1
    assert cnndsl("summary", "nothing").returncode == 2
    assert cnndsl("nothing").returncode == 2
