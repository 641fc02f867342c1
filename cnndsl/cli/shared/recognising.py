"""What `evaluate` and `predict` share: a run, or a network with a file of weights."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import click

from cnndsl.cli.shared.reading import read_network
from cnndsl.cli.shared.voice import note
from cnndsl.disk.files import is_folder

if TYPE_CHECKING:
    from cnndsl.training.run import Run
    from cnndsl.training.trained.answering import Answering
    from cnndsl.training.trained.cascade import CascadeAnswering
    from cnndsl.training.trained.recogniser import Recogniser


def opened(file: str) -> Run | None:
    """The run that FILE is the folder of; None where it is a network. Raises `CnnError`."""
    if not is_folder(file):
        return None
    from cnndsl.training.run import open_run

    return open_run(Path(file))


def recogniser(
    context: click.Context,
    file: str,
    run: Run | None,
    weights: Path | None,
    normalize: str | None,
    parameters: Mapping[str, str],
    inputs: Mapping[str, str],
) -> Recogniser:
    """The trained network that FILE and the options mean. Raises `CnnError`."""
    from cnndsl.cli.shared.weighing import read_given
    from cnndsl.training.trained.recogniser import Recogniser

    if run is not None:
        if parameters or inputs or normalize:
            raise click.UsageError("a run knows its parameters, size and --normalize; give none", context)
        return Recogniser.of_run(run, weights)
    if weights is None:
        raise click.UsageError("a network takes --weights, a file of trained ones, or `published`", context)
    graph = read_network(file, parameters, inputs).graph
    return Recogniser.of_graph(graph, read_given(graph, weights), normalize)


def answering(
    context: click.Context,
    file: str,
    run: Run | None,
    weights: Path | None,
    normalize: str | None,
    parameters: Mapping[str, str],
    inputs: Mapping[str, str],
) -> Answering | CascadeAnswering:
    """The same, to be asked of pictures; it need not tell classes apart, and may be several that look one after the other.

    Raises `CnnError`.
    """
    from cnndsl.cli.shared.weighing import progress, read_given
    from cnndsl.published.table import cascade
    from cnndsl.training.trained.answering import Answering

    if run is not None:
        if parameters or inputs or normalize:
            raise click.UsageError("a run knows its parameters, size and --normalize; give none", context)
        return Answering.of_run(run, None if weights is None else read_given(run.graph, weights))
    if weights is None:
        raise click.UsageError("a network takes --weights, a file of trained ones, or `published`", context)
    if str(weights) == "published" and (several := cascade(file)) is not None:
        from cnndsl.training.trained.cascade import CascadeAnswering

        with progress() as tell:
            return CascadeAnswering.published(several, note, tell)
    graph = read_network(file, parameters, inputs).graph
    return Answering.of_graph(graph, read_given(graph, weights), normalize)
