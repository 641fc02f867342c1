"""How the command line speaks: results to stdout, everything else to stderr."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import IO

from cnndsl.diagnostics.errors import Diagnostic
from cnndsl.diagnostics.excerpt import Style, visible


def colorful(stream: IO[str]) -> bool:
    """Whether colours are welcome: on a terminal, unless `NO_COLOR` is set (to anything)."""
    return stream.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def say(text: str) -> None:
    """One result, with a line end behind it."""
    sys.stdout.write(text if text.endswith("\n") else f"{text}\n")


def note(text: str) -> None:
    """A line on stderr."""
    print(text, file=sys.stderr)


def untrained(seed: int) -> None:
    """Says on stderr that nobody gave weights, and what stands in for them."""
    note(f"no --weights: these are the first weights of seed {seed}, untrained")


def report(diagnostics: Iterable[Diagnostic]) -> None:
    """Diagnostics with carets on stderr, a blank line behind each but the last."""
    from cnndsl.diagnostics.render import render_all

    text = render_all(diagnostics, color=colorful(sys.stderr))
    if text:
        note(text)


def complain(message: str, help: str | None = None) -> None:
    """An error that has no place in a program."""
    style = Style(colorful(sys.stderr))
    note(f"{style.severity('error', 'error')}{style.bold(f': {visible(message)}')}")
    if help:
        note(f"  {style.quiet('=')} {style.bold('help')}: {visible(help)}")


@contextmanager
def step(text: str) -> Iterator[Callable[[int, int], None]]:
    """Something that takes seconds: a spinner on a terminal, a plain line elsewhere. What it gives is told how much of it
    is done, of how much."""
    if not sys.stderr.isatty():
        note(f"{text} …")
        yield lambda done, whole: note(f"  {done + 1} of {whole} …") if whole > 1 else None
        return
    from rich.console import Console

    with Console(stderr=True, no_color=not colorful(sys.stderr)).status(f"{text} …") as status:
        yield lambda done, whole: status.update(f"{text}: {done + 1} of {whole}, {done / whole:.0%} done …")
