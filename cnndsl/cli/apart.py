"""Work in a process of its own, so that a crash of foreign code does not end ours without a word."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable

import click

from cnndsl.cli.outcome import BUG, FINE, code_of
from cnndsl.errors import MissingPart

Tell = Callable[[str], None]


def do_apart(work: Callable[[], None], again: Callable[[Tell], None]) -> None:
    """Does the work in a child; where that dies of a signal, does it `again` in another child, which tells what it is at.

    Exits as the child did. Raises `MissingPart` that names the last thing told. The child is a copy of this
    process, made before the libraries that may crash are imported: it costs milliseconds. Where they are imported already,
    where there is no fork or something listens in on our streams, the work is done here.
    """
    if not hasattr(os, "fork") or "tvm" in sys.modules or sys.stderr is not sys.__stderr__:
        work()
        return
    code, _ = _child(lambda _tell: work())
    if code > FINE:
        raise click.exceptions.Exit(code)
    if code == FINE:
        return
    second, told = _child(again)
    where = told if second < FINE else "all kernels together, though none of them alone"
    raise MissingPart(
        f"TVM crashed ({signal.Signals(-code).name}) while it compiled {where or 'the network'}",
        "try `--strict-numerics`, or another --target or --batch, and report it to us with the program",
    )


def _child(work: Callable[[Tell], None]) -> tuple[int, str]:
    """The exit code of a child that does the work, or minus the signal it died of, and the last it told."""
    reading, writing = os.pipe()
    sys.stdout.flush()
    sys.stderr.flush()
    process = os.fork()
    if not process:
        os.close(reading)
        code = BUG
        try:
            code = code_of(lambda: work(lambda text: _write(writing, text)))
            sys.stdout.flush()
            sys.stderr.flush()
        finally:
            # Nothing of the parent's is cleared up here, whatever happened.
            os._exit(code)
    os.close(writing)
    with os.fdopen(reading, encoding="utf-8", errors="replace") as pipe:
        told = pipe.read().splitlines()
    while True:
        try:
            _, status = os.waitpid(process, 0)
            return os.waitstatus_to_exitcode(status), told[-1] if told else ""
        except KeyboardInterrupt:
            # The child was interrupted too, and ends by itself.
            continue


def _write(pipe: int, text: str) -> None:
    os.write(pipe, f"{text}\n".encode())
