"""`cnndsl draw`: a network as a diagram, as the volumes of a paper's figure, or by its receptive fields."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

from cnndsl.cli.shared.reading import file_argument, leave_over_budget, network_options, read_network
from cnndsl.cli.shared.voice import note as tell
from cnndsl.cli.shared.weighing import read_given, weights_option

if TYPE_CHECKING:
    from cnndsl.backends.drawing.colours.measure import Measure
    from cnndsl.backends.drawing.colours.theme import Theme
    from cnndsl.backends.drawing.figures.canvas import Figure
    from cnndsl.backends.drawing.page import Page
    from cnndsl.ir.graph import Graph

TAKES = {
    "depth": ("diagram", "volumes"),
    "direction": ("diagram",),
    "expand": ("diagram",),
    "color": ("diagram",),
    "image": ("rf",),
    "weights": ("rf",),
    "normalize": ("rf",),
    "note": ("volumes",),
    "page": ("diagram",),
}
"""Which styles an option is for; the others take all."""

READABLE = 5.0
"""Points of the smallest letters that can be read on paper."""

SHARP = 700
"""Pixels along a side of a photograph in a figure, at most."""


@click.command("draw")
@file_argument
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    required=True,
    help="The picture; its ending says the format: svg, png, pdf; a diagram also dot, mmd; volumes also tex.",
)
@click.option(
    "--style",
    type=click.Choice(["diagram", "volumes", "rf"]),
    default="diagram",
    show_default=True,
    help="volumes: feature maps as boxes in space; rf: receptive fields over an --image.",
)
@click.option("--depth", type=click.IntRange(1), help="Levels of blocks to open; what lies deeper is one box.")
@click.option(
    "--direction", type=click.Choice(["TB", "LR", "BT", "RL"]), default="TB", show_default=True, help="Where it flows."
)
@click.option(
    "--page",
    type=click.Choice(["A3", "A4", "A5", "letter"]),
    help="No larger than this sheet: a long diagram goes on in columns.",
)
@click.option("--expand", is_flag=True, help="Draw every round of a repeat.")
@click.option(
    "--color", type=click.Choice(["rf", "params", "macs", "memory"]), help="A heat map of the boxes, with its scale."
)
@click.option(
    "--theme",
    type=click.Choice(["light", "dark", "auto"]),
    default="light",
    show_default=True,
    help="auto: an SVG that is light or dark as its reader's browser is.",
)
@click.option("--image", type=click.Path(path_type=Path), help="The picture under the receptive fields.")
@weights_option("Trained weights: the effective field, from gradients, stands beside the theoretical one.")
@click.option(
    "--normalize",
    type=click.Choice(["none", "imagenet"]),
    default="none",
    show_default=True,
    help="With --weights: take ImageNet's mean off the picture and divide by its deviation.",
)
@click.option(
    "--note/--no-note", default=True, help="With volumes: the line under the figure that says what lengths stand for."
)
@network_options
@click.pass_context
def command(
    context: click.Context,
    file: str,
    output: Path,
    style: Literal["diagram", "volumes", "rf"],
    depth: int | None,
    direction: Literal["TB", "LR", "BT", "RL"],
    page: Page | None,
    expand: bool,
    color: Measure | None,
    theme: Theme,
    image: Path | None,
    weights: Path | None,
    normalize: str,
    note: bool,
    parameters: Mapping[str, str],
    inputs: Mapping[str, str],
) -> None:
    """Draw a network, with shapes on the arrows and blocks as clusters; or as a paper's figure."""
    for name, styles in TAKES.items():
        given = context.get_parameter_source(name) is click.core.ParameterSource.COMMANDLINE
        if given and style not in styles:
            raise click.UsageError(f"--{name} is for --style {' or '.join(styles)}, not {style}", context)
    if style == "rf" and image is None:
        raise click.UsageError("--style rf draws over a picture: give one with --image", context)
    loaded = read_network(file, parameters, inputs, over_budget=True)
    graph = loaded.graph
    from cnndsl.backends.drawing.draw import draw, draw_figure

    if style == "diagram":
        points = draw(
            graph, output, page=page, depth=depth, direction=direction, expand=expand, color=color, theme=theme
        )
        if page and points < READABLE:
            tell(f"the smallest letters are {points:.1f} points on {page}; `--depth` draws less, larger")
    elif style == "volumes":
        from cnndsl.backends.drawing.figures.volumes import volumes

        draw_figure(lambda: volumes(graph, depth=depth, theme=theme, note=note), output, theme)
    else:
        assert image is not None
        draw_figure(lambda: _fields(graph, image, weights, normalize, theme), output, theme)
    tell(f"wrote {output}")
    leave_over_budget(context, loaded)


def _fields(graph: Graph, image: Path, weights: Path | None, normalize: str, theme: Theme) -> Figure:
    """Receptive fields over a picture; with weights also the gradient of the last map's centre."""
    from cnndsl.arrays.inputs import IMAGENET_MEAN, IMAGENET_STD, read_image, read_picture
    from cnndsl.backends.drawing.figures.fields import fields
    from cnndsl.backends.drawing.figures.widening import widening

    found = widening(graph)
    shape = graph.types[found.input].shape
    plain = read_image(image, shape)
    # Shown as sharp as the photograph is, in the cut that the network sees.
    photograph = read_picture(image)
    times = max(min(*photograph.size, SHARP) // max(shape[1:]), 1)
    shown = read_image(image, (shape[0], shape[1] * times, shape[2] * times))
    pixels = (shown.transpose(1, 2, 0) * 255).round().astype("uint8")
    gradient = None
    if weights is not None:
        from cnndsl.arrays.weights import checked
        from cnndsl.backends.pytorch.live.gradient import influence

        given = read_given(graph, weights)
        arrays = checked(graph, given.arrays, given.origin)
        value = read_image(image, shape, IMAGENET_MEAN, IMAGENET_STD) if normalize == "imagenet" else plain
        gradient = influence(graph, arrays, {found.input: value[None]}, found.last.node.name, found.input)
    return fields(graph, pixels[..., 0] if shape[0] == 1 else pixels, influence=gradient, theme=theme)
