"""`--weights` of every verb: a file, or `published` and `published:WHICH`, fetched with a bar where they are not here."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from cnndsl.cli.shared.voice import colorful, note
from cnndsl.diagnostics.errors import CnnError

if TYPE_CHECKING:
    from cnndsl.ir.graph import Graph
    from cnndsl.published.download import Progress
    from cnndsl.published.weights import Given
    from cnndsl.quantization.quantization import Quantization

Command = Callable[..., Any]


def weights_option(help: str) -> Callable[[Command], Command]:
    """`--weights FILE`, `published` or `published:WHICH`; the value is a path."""
    return click.option(
        "--weights",
        type=click.Path(path_type=Path),
        metavar="FILE|published[:WHICH]",
        help=f"{help} `published` ones are fetched.",
    )


def read_given(graph: Graph, weights: Path) -> Given:
    """What `--weights` means for a network. Raises `CnnError` and `MissingPart`."""
    from cnndsl.published.weights import given_weights

    with progress() as tell:
        return given_weights(graph, weights, note, tell)


def read_quantized(weights: Path | None) -> Quantization:
    """What `--weights` means with `--precision int8`. Raises `CnnError`."""
    from cnndsl.published.weights import which
    from cnndsl.quantization.file import not_quantized, read_quantization

    if weights is None:
        absent = "precision int8 takes a quantised network, and there are no weights"
        raise CnnError([replace(not_quantized("WEIGHTS"), message=absent)])
    if which(weights) is not None:
        raise CnnError([not_quantized(str(weights))])
    return read_quantization(weights)


@contextmanager
def progress() -> Iterator[Progress]:
    """Something to tell how far a download is: a bar on a terminal, elsewhere a line at each quarter."""
    if not sys.stderr.isatty():
        told = -1

        def quarters(done: int, total: int) -> None:
            nonlocal told
            if total and (quarter := 4 * done // total) > told:
                told = quarter
                note(f"  {done / 1e6:.1f} of {total / 1e6:.1f} MB")

        yield quarters
        return
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TimeRemainingColumn

    columns = (BarColumn(), DownloadColumn(), TimeRemainingColumn())
    console = Console(stderr=True, no_color=not colorful(sys.stderr))
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task("", total=None, visible=False)

        def draw(done: int, total: int) -> None:
            bar.update(task, completed=done, total=total or None, visible=True)

        yield draw
