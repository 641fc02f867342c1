"""`cnndsl draw`: a network as a diagram."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

from cnndsl.cli.reading import file_argument, network_options, read_network
from cnndsl.cli.voice import note

if TYPE_CHECKING:
    from cnndsl.backends.dot.measure import Measure
    from cnndsl.backends.dot.theme import Theme


@click.command("draw")
@file_argument
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    required=True,
    help="The picture; its ending says the format: svg, png, pdf, dot, mmd.",
)
@click.option("--depth", type=click.IntRange(1), help="Levels of blocks to open; what lies deeper is one box.")
@click.option(
    "--direction", type=click.Choice(["TB", "LR", "BT", "RL"]), default="TB", show_default=True, help="Where it flows."
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
@network_options
def command(
    file: str,
    output: Path,
    depth: int | None,
    direction: Literal["TB", "LR", "BT", "RL"],
    expand: bool,
    color: Measure | None,
    theme: Theme,
    parameters: Mapping[str, str],
    inputs: Mapping[str, str],
) -> None:
    """Draw a network, with shapes on the arrows and blocks as clusters."""
    graph = read_network(file, parameters, inputs).graph
    from cnndsl.backends.dot.draw import draw

    draw(graph, output, depth=depth, direction=direction, expand=expand, color=color, theme=theme)
    note(f"wrote {output}")
