"""`cnndsl predict`: what a trained network takes pictures for."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import click

from cnndsl.cli.shared.reading import file_argument, network_options
from cnndsl.cli.shared.recognising import opened, recogniser
from cnndsl.cli.shared.voice import say
from cnndsl.diagnostics.excerpt import visible
from cnndsl.disk.files import read_text


@click.command("predict")
@file_argument
@click.argument("images", metavar="IMAGE…", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option(
    "--weights",
    type=click.Path(path_type=Path),
    help="Other weights than the run's best; required where FILE is a network and no run.",
)
@click.option(
    "--labels", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="Names of the classes, one a line."
)
@click.option("--top", type=click.IntRange(1), default=5, show_default=True, help="How many classes to show.")
@click.option(
    "--normalize", type=click.Choice(["none", "imagenet"]), help="As in training.  [default: the run's, or none]"
)
@click.option("--format", type=click.Choice(["text", "json"]), default="text", show_default=True)
@network_options
@click.pass_context
def command(
    context: click.Context,
    file: str,
    images: tuple[Path, ...],
    weights: Path | None,
    labels: Path | None,
    top: int,
    normalize: str | None,
    format: str,
    parameters: Mapping[str, str],
    inputs: Mapping[str, str],
) -> None:
    """Recognise pictures: FILE is the folder of a run, or a network with --weights."""
    network = recogniser(context, file, opened(file), weights, normalize, parameters, inputs)
    names = read_text(labels).splitlines() if labels else list(network.classes)
    if len(names) != len(network.classes):
        raise click.UsageError(
            f"--labels has {len(names)} lines, and the network {len(network.classes)} classes", context
        )
    shares = network.predict(images)
    order = (-shares).argsort(1, kind="stable")[:, :top]
    if format == "json":
        rows = [
            {"image": str(image), "top": [{"class": int(i), "label": names[i], "share": float(row[i])} for i in places]}
            for image, row, places in zip(images, shares, order, strict=True)
        ]
        say(json.dumps({"schema": 1, "predictions": rows}))
        return
    for image, row, places in zip(images, shares, order, strict=True):
        say(str(image))
        for i in places:
            say(f"  {i:>6}  {row[i]:>7.2%}  {visible(names[i])}".rstrip())
