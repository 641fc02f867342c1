"""`cnndsl weights`: whether a file of weights is this network's, and a file of first ones."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import click

from cnndsl.cli.shared.outcome import WRONG_PROGRAM
from cnndsl.cli.shared.reading import file_argument, network_options, read_network
from cnndsl.cli.shared.voice import note, report, say


@click.group("weights")
def command() -> None:
    """Look at files of weights, or make one."""


@command.command("check")
@file_argument
@click.argument("weights", type=click.Path(path_type=Path))
@network_options
@click.pass_context
def check(
    context: click.Context, file: str, weights: Path, parameters: Mapping[str, str], inputs: Mapping[str, str]
) -> None:
    """Say which keys of a .safetensors or .pth file match the network's, and what is wrong with the others."""
    from cnndsl.arrays.weights import checked, read_weights
    from cnndsl.diagnostics.errors import CnnError

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


@command.command("init")
@file_argument
@click.option("-o", "--output", required=True, type=click.Path(path_type=Path), help="A .safetensors file.")
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True)
@network_options
@click.pass_context
def init(
    context: click.Context,
    file: str,
    output: Path,
    seed: int,
    parameters: Mapping[str, str],
    inputs: Mapping[str, str],
) -> None:
    """Write the first weights of a seed: the state dict that training would begin with, in its order."""
    if output.suffix != ".safetensors":
        raise click.UsageError(f"expected a name in .safetensors, found {output.name}", context)
    from cnndsl.arrays.weights import initial_weights, write_weights

    graph = read_network(file, parameters, inputs).graph
    write_weights(output, initial_weights(graph, seed))
    note(f"wrote {output}")
