"""`cnndsl weights`: published ones listed and fetched; whether a file is a network's; a file of first ones."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import click

from cnndsl.cli.shared.outcome import WRONG_PROGRAM
from cnndsl.cli.shared.reading import file_argument, network_options, read_network
from cnndsl.cli.shared.voice import note, report, say

if TYPE_CHECKING:
    from cnndsl.published.table import Published


@click.group("weights")
def command() -> None:
    """Find published weights, look at files of weights, or make one."""


@command.command("list")
@click.argument("network", required=False, metavar="[NETWORK]")
@click.option("--format", type=click.Choice(["table", "json"]), default="table", show_default=True)
def list_(network: str | None, format: str) -> None:
    """List the published weights of a built-in network, or of all.

    `*` marks those that are on this machine already. Each network's first ones are what `published` alone means.
    """
    from cnndsl.published.places import here
    from cnndsl.published.table import find, published, table

    if network is not None:
        find(network)
    entries = table() if network is None else published(network)
    if format == "json":
        rows = [{"name": entry.name, **entry.model_dump(exclude_defaults=True)} for entry in entries]
        say(json.dumps({"schema": 1, "weights": rows}, ensure_ascii=False, indent=1))
        return
    header = ("weights", "size", "classes", "accuracy", "licence", "from")
    cells = [header, *(_row(entry, here(entry)) for entry in entries)]
    widths = [max(len(line[column]) for line in cells) for column in range(len(header) - 1)]
    for line in cells:
        say("  ".join([*(cell.ljust(width) for cell, width in zip(line, widths, strict=False)), line[-1]]).rstrip())


def _row(entry: Published, here: bool) -> tuple[str, ...]:
    from cnndsl.published.weights import size

    figures = next(iter(entry.accuracy.values()), {})
    first = next(iter(figures.items()), None)
    return (
        f"{'*' if here else ' '} {entry.name}",
        size(entry).strip(" ()") or "–",
        entry.classes or "–",
        f"{first[1]:g} {first[0]}" if first else "–",
        "other, see json" if len(entry.licence) > 40 else entry.licence,
        entry.package or entry.source,
    )


@command.command("fetch")
@click.argument("networks", nargs=-1, required=True, metavar="NETWORK[:WHICH]…")
@click.option("--sha256", metavar="SUM", help="The 64 digits that the file must have, where its publisher says none.")
@click.option("--unverified", is_flag=True, help="Where its publisher says none, take what comes and remember its sum.")
@click.pass_context
def fetch(context: click.Context, networks: tuple[str, ...], sha256: str | None, unverified: bool) -> None:
    """Bring published weights to this machine, once: into $CNNDSL_WEIGHTS, or where torch.hub keeps its own.

    What is there already, or in an installed package, is used where it lies. Every file is compared with its checksum.
    """
    from cnndsl.cli.shared.weighing import progress
    from cnndsl.published.places import noted
    from cnndsl.published.table import find
    from cnndsl.published.weights import fetched, taken

    if sha256 is not None and (unverified or len(networks) > 1 or not re.fullmatch(r"[0-9a-fA-F]{64}", sha256)):
        raise click.UsageError("--sha256 takes the 64 hexadecimal digits of one file, without --unverified", context)
    entries = [find(network, which) for network, _, which in (name.partition(":") for name in networks)]
    for entry in entries:
        if entry.sha256 and (sha256 is not None or unverified):
            raise click.UsageError(f"the sum of {entry.name} is published: it is compared in any case", context)
    for entry in entries:
        with progress() as tell:
            if sha256 is not None or unverified:
                path = taken(entry, (sha256 or "").lower(), note, tell)
                note(f"its SHA-256 sum is {noted(path)}, {'as you said' if sha256 else 'which nobody vouches for'}")
            else:
                path = fetched(entry, note, tell)
            say(str(path))


@command.command("check")
@file_argument
@click.argument("weights", type=click.Path(path_type=Path))
@network_options
@click.pass_context
def check(
    context: click.Context, file: str, weights: Path, parameters: Mapping[str, str], inputs: Mapping[str, str]
) -> None:
    """Say which keys of a .safetensors or .pth file match the network's, and what is wrong with the others."""
    from cnndsl.arrays.weights import checked
    from cnndsl.cli.shared.weighing import read_given
    from cnndsl.diagnostics.errors import CnnError

    graph = read_network(file, parameters, inputs).graph
    given = read_given(graph, weights)
    arrays = given.arrays
    keys = {entry.key: entry.weight for entry in graph.weights}
    match = [key for key, weight in keys.items() if key in arrays and tuple(arrays[key].shape) == weight.shape]
    say(f"{len(match):,} of {len(keys):,} keys match, {len(arrays):,} in {given.origin}")
    try:
        checked(graph, arrays, given.origin)
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
