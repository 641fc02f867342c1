"""`cnndsl weights check`: whether a file of weights is this network's."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import click

from cnndsl.cli.outcome import WRONG_PROGRAM
from cnndsl.cli.reading import file_argument, network_options, read_network
from cnndsl.cli.voice import report, say


@click.group("weights")
def command() -> None:
    """Look at files of weights."""


@command.command("check")
@file_argument
@click.argument("weights", type=click.Path(path_type=Path))
@network_options
@click.pass_context
def check(
    context: click.Context, file: str, weights: Path, parameters: Mapping[str, str], inputs: Mapping[str, str]
) -> None:
    """Say which keys of a .safetensors or .pth file match the network's, and what is wrong with the others."""
    from cnndsl.errors import CnnError
    from cnndsl.weights import checked, read_weights

    graph = read_network(file, parameters, inputs).graph
    arrays = read_weights(weights)
    keys = {entry.key: entry.weight for entry in graph.weights}
    match = [key for key, weight in keys.items() if key in arrays and tuple(arrays[key].shape) == weight.shape]
    say(f"{len(match):,} of {len(keys):,} keys match, {len(arrays):,} in {weights.name}")
    try:
        checked(graph, arrays, weights.name)
    except CnnError as error:
        report(error.diagnostics)
        context.exit(WRONG_PROGRAM)
