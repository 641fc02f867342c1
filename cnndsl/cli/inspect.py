"""`cnndsl inspect`: pictures of what a trained network has learnt, and of what it sees in a picture."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import click

from cnndsl.cli.shared.reading import file_argument, network_options
from cnndsl.cli.shared.recognising import opened, recogniser
from cnndsl.cli.shared.voice import note
from cnndsl.cli.shared.weighing import weights_option

PICTURES = (".svg", ".png", ".pdf")


@click.command("inspect")
@file_argument
@click.option("--kernels", is_flag=True, help="Draw the kernels of the first convolution.")
@click.option(
    "--feature-maps", type=click.Path(path_type=Path), metavar="IMAGE", help="Draw layers' maps of a picture."
)
@click.option("--grad-cam", type=click.Path(path_type=Path), metavar="IMAGE", help="Draw where a decision comes from.")
@click.option(
    "--layer", "layers", multiple=True, metavar="NAME", help="The layer to look at; several for --feature-maps."
)
@click.option("--class", "label", metavar="NAME", help="With --grad-cam: the class to speak for, by name or number.")
@weights_option("Other weights than the run's best; required where FILE is a network and no run.")
@click.option(
    "--normalize", type=click.Choice(["none", "imagenet"]), help="As in training.  [default: the run's, or none]"
)
@click.option("-o", "--output", required=True, type=click.Path(path_type=Path), help="The picture: svg, png, pdf.")
@network_options
@click.pass_context
def command(
    context: click.Context,
    file: str,
    kernels: bool,
    feature_maps: Path | None,
    grad_cam: Path | None,
    layers: tuple[str, ...],
    label: str | None,
    weights: Path | None,
    normalize: str | None,
    output: Path,
    parameters: Mapping[str, str],
    inputs: Mapping[str, str],
) -> None:
    """Look into a trained network: FILE is the folder of a run, or a network with --weights."""
    if sum(map(bool, (kernels, feature_maps, grad_cam))) != 1:
        raise click.UsageError("say one of --kernels, --feature-maps IMAGE and --grad-cam IMAGE", context)
    if output.suffix not in PICTURES:
        raise click.UsageError(f"expected a name in {', '.join(PICTURES)}, found {output.name}", context)
    if label is not None and grad_cam is None:
        raise click.UsageError("--class belongs to --grad-cam", context)
    if layers and (kernels or (grad_cam is not None and len(layers) > 1)):
        raise click.UsageError("--kernels takes no --layer, and --grad-cam one", context)
    network = recogniser(context, file, opened(file), weights, normalize, parameters, inputs)
    from cnndsl.disk.files import write_atomically
    from cnndsl.training.trained.insight import cam_picture, kernels_picture, maps_picture

    format = output.suffix[1:]
    if kernels:
        picture = kernels_picture(network, format)
    elif feature_maps is not None:
        picture = maps_picture(network, feature_maps, layers, format)
    else:
        assert grad_cam is not None
        picture = cam_picture(network, grad_cam, label, next(iter(layers), None), format)
    write_atomically(output, picture)
    note(f"wrote {output}")
