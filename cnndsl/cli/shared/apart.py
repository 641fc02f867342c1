"""Work in a process of its own, so that a crash of foreign code does not end ours without a word."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable

import click

from cnndsl.backends.tvm.examine.stage import Stage, Tell, untold
from cnndsl.cli.shared.outcome import BUG, FINE, code_of
from cnndsl.diagnostics.errors import MissingPart

_DONE = "\0done"
_BETWEEN = "\t"
"""Stands between stage and text in a line that a child writes."""

_Told = tuple[Stage | None, str]
"""The last that a child told; `(None, "")` where it told nothing."""

_NO_MEMORY = "take a smaller --batch, or a machine with more memory"


def do_apart(work: Callable[[Tell], None], again: Callable[[Tell], None]) -> None:
    """Does the work in a child. Where the child crashes while it compiles, does the work `again` in another child,
    which tells what it is at, kernel by kernel.

    Exits as the child did. Raises `MissingPart` that names the last thing told, where the child dies of a signal or is
    ended by foreign code. The child is a copy of this process, made before the libraries that may crash are imported:
    it costs milliseconds. Where they are imported already, where there is no fork or something listens in on our
    streams, the work is done here; also where PyTorch is, as it is for a network that was imported: its threads stay behind in the
    parent, and the child would wait for them for ever.
    """
    if not hasattr(os, "fork") or not {"tvm", "torch"}.isdisjoint(sys.modules) or sys.stderr is not sys.__stderr__:
        work(untold)
        return
    code, (stage, told), done = _child(work)
    if done and code == FINE:
        return
    if done:
        raise click.exceptions.Exit(code)
    if sys.stderr and sys.stderr.isatty():
        # A spinner hides the cursor, and clears its line when it ends well.
        sys.stderr.write("\r\x1b[K\x1b[?25h")
    if code == -signal.SIGKILL:
        raise MissingPart(f"the system ended the work (SIGKILL) while {told or 'it began'}", _NO_MEMORY)
    how = signal.Signals(-code).name if code < 0 else f"exit status {code}"
    if stage is not Stage.COMPILING:
        raise MissingPart(
            f"the work ended with {how} while {told or 'it began'}",
            "see that there are memory and room on the disk, and report it to us with the program if there are",
        )
    _, (_, kernel), fine = _child(again)
    where = "all kernels together, though none of them alone" if fine else kernel
    raise MissingPart(
        f"TVM crashed ({how}) while it compiled {where or 'the network'}",
        "try `--strict-numerics`, or another --target or --batch, and report it to us with the program",
    )


def _child(work: Callable[[Tell], None]) -> tuple[int, _Told, bool]:
    """The exit code of a child that does the work, or minus the signal it died of; the last it told; and whether it
    came to its end, good or bad, and was not ended by foreign code."""
    reading, writing = os.pipe()
    sys.stdout.flush()
    sys.stderr.flush()
    parent = os.getpid()
    process = os.fork()
    if not process:
        os.close(reading)
        code = BUG
        try:
            _end_with(parent)
            code = _code(work, writing)
            _write(writing, _DONE)
        finally:
            # Nothing of the parent's is cleared up here, whatever happened.
            os._exit(code)
    os.close(writing)
    with os.fdopen(reading, encoding="utf-8", errors="replace") as pipe:
        # A line end is the only thing that ends a line here, and no name has one.
        lines = pipe.read().split("\n")[:-1]
    done = lines[-1:] == [_DONE]
    last = "".join(lines[:-1][-1:] if done else lines[-1:])
    while True:
        try:
            _, status = os.waitpid(process, 0)
            return os.waitstatus_to_exitcode(status), _told(last), done
        except KeyboardInterrupt:
            # The child was interrupted too, and ends by itself.
            continue


def _told(line: str) -> _Told:
    stage, between, text = line.partition(_BETWEEN)
    return (Stage(stage), text) if between else (None, "")


def _code(work: Callable[[Tell], None], pipe: int) -> int:
    try:
        code = code_of(lambda: work(lambda stage, text: _write(pipe, f"{stage.value}{_BETWEEN}{text}")))
        sys.stdout.flush()
        sys.stderr.flush()
    except BrokenPipeError:
        # The reader has enough.
        return FINE
    return code


def _end_with(parent: int) -> None:
    """Nobody waits for the work of a parent that was killed; Linux ends it too."""
    if sys.platform != "linux":
        return
    import ctypes

    signal_at_death = 1
    ctypes.CDLL(None).prctl(signal_at_death, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(BUG)


def _write(pipe: int, text: str) -> None:
    os.write(pipe, f"{text}\n".encode())
