"""`cnndsl predict`: what a trained network says of pictures."""

from __future__ import annotations

import json
from collections.abc import Mapping
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from cnndsl.cli.shared.reading import file_argument, network_options
from cnndsl.cli.shared.recognising import answering, opened
from cnndsl.cli.shared.voice import note, say
from cnndsl.cli.shared.weighing import weights_option
from cnndsl.disk.files import read_text

if TYPE_CHECKING:
    from cnndsl.training.trained.answering import Answering

PICTURES = (".png", ".jpg", ".jpeg", ".webp")


@click.command("predict")
@file_argument
@click.argument("images", metavar="IMAGE…", nargs=-1, required=True, type=click.Path(path_type=Path))
@weights_option("Other weights than the run's best; required where FILE is a network and no run.")
@click.option(
    "--labels", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="Names of the classes, one a line."
)
@click.option("--top", type=click.IntRange(1), default=5, show_default=True, help="How many classes to show.")
@click.option(
    "--normalize",
    type=click.Choice(["none", "imagenet"]),
    help="As in training.  [default: the run's, or as published, or none]",
)
@click.option("--format", type=click.Choice(["text", "json"]), default="text", show_default=True)
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), help="Draw what was found: a picture, or a folder for several."
)
@click.option("--features", is_flag=True, help="With -o, an .npz: what the last layer reads, one row for each picture.")
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
    output: Path | None,
    features: bool,
    parameters: Mapping[str, str],
    inputs: Mapping[str, str],
) -> None:
    """Say what is in pictures: names, boxes with names, regions, or a picture.

    FILE is the folder of a run, or a network with --weights; what its answers mean is known of runs and of published weights.
    """
    if features and (output is None or output.suffix != ".npz"):
        raise click.UsageError("--features writes an .npz file; say which with -o", context)
    if output is not None and not features and len(images) == 1 and output.suffix.lower() not in PICTURES:
        raise click.UsageError(f"expected a name in {', '.join(PICTURES)}, found {output.name}", context)
    from cnndsl.training.trained.answering import Answering

    network = answering(context, file, opened(file), weights, normalize, parameters, inputs)
    if labels is not None:
        if not isinstance(network, Answering):
            raise click.UsageError("--labels names classes, and these networks find one thing", context)
        network = _labelled(context, network, read_text(labels).splitlines())
    if features:
        assert output is not None
        if not isinstance(network, Answering):
            raise click.UsageError("--features takes one network", context)
        _write_features(network, images, output)
        return
    rows = []
    for image, (picture, found) in zip(images, network.answers(images), strict=True):
        from cnndsl.arrays.answers import lines, plain

        if format == "json":
            rows.append({"image": str(image), **plain(found, top)})
        else:
            say(str(image))
            for line in lines(found, top):
                say(f"  {line}")
        if output is not None:
            draw(picture, found, output if len(images) == 1 else output / f"{image.stem}.png")
    if format == "json":
        say(json.dumps({"schema": 1, "predictions": rows}))


def _labelled(context: click.Context, network: Answering, names: list[str]) -> Answering:
    from dataclasses import replace

    if network.use.answer.get("kind") not in ("classes", "tags"):
        raise click.UsageError("--labels names classes, and this network's answers are none", context)
    output = next(output for output in network.graph.outputs if not output.training)
    count = network.graph.types[output.node].shape[0]
    if len(names) != count:
        raise click.UsageError(f"--labels has {len(names)} lines, and the network {count} classes", context)
    return replace(network, use=replace(network.use, answer={**network.use.answer, "classes": names}))


def draw(picture: Any, found: Mapping[str, Any], output: Path) -> None:
    """Writes the picture with what was found in it."""
    from cnndsl.arrays.pictures import drawn
    from cnndsl.disk.files import write_atomically

    data = BytesIO()
    format = {"jpg": "jpeg"}.get(output.suffix[1:].lower(), output.suffix[1:].lower())
    drawn(picture, found).save(data, format)
    write_atomically(output, data.getvalue())
    note(f"wrote {output}")


def _write_features(network: Answering, images: tuple[Path, ...], output: Path) -> None:
    import numpy as np

    from cnndsl.disk.files import write_atomically

    data = BytesIO()
    rows = network.features(images)
    np.savez(data, features=rows, images=np.array([str(image) for image in images]))
    write_atomically(output, data.getvalue())
    note(f"wrote {output}: {len(rows)} rows of {rows.shape[1]:,} numbers")
