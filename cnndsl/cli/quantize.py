"""`cnndsl quantize`: a network in whole numbers of 8 bits, with the error that this brings."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from cnndsl.cli.shared.reading import file_argument, network_options, read_network
from cnndsl.cli.shared.recognising import opened
from cnndsl.cli.shared.voice import colorful, note, say, step
from cnndsl.cli.shared.weighing import read_given, weights_option
from cnndsl.cli.shared.writing import refuse_name

if TYPE_CHECKING:
    from cnndsl.calibration.calibrate import Tell


@click.command("quantize")
@file_argument
@weights_option("The trained weights; a run has its own.")
@click.option(
    "--data",
    help="Examples to calibrate with: a folder of pictures, an .npz or .npy file of inputs, `digits`, or the folder of a "
    "run.  [default: what the run learnt from]",
)
@click.option("-o", "--output", type=click.Path(path_type=Path), help="The .safetensors file that is written.")
@click.option(
    "--images",
    type=click.IntRange(1),
    default=64,
    show_default=True,
    help="Examples to calibrate with; as many others measure the error.",
)
@click.option("--keep", multiple=True, metavar="LAYER", help="A layer or block that stays in float32; may be repeated.")
@click.option(
    "--max-error",
    type=click.FloatRange(0, 1, min_open=True),
    help="Keep the worst layers in float32 until the outputs are off by no more: 0.1 is a tenth, 20 dB.",
)
@click.option(
    "--normalize",
    type=click.Choice(["none", "imagenet"]),
    help="As in training.  [default: as the weights say, or none]",
)
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help="Draws the examples.")
@click.option("--format", type=click.Choice(["table", "json"]), default="table", show_default=True)
@network_options
@click.pass_context
def command(
    context: click.Context,
    file: str,
    weights: Path | None,
    data: str | None,
    output: Path | None,
    images: int,
    keep: tuple[str, ...],
    max_error: float | None,
    normalize: str | None,
    seed: int,
    format: str,
    parameters: Mapping[str, str],
    inputs: Mapping[str, str],
) -> None:
    """Quantise a network to 8 bits: FILE is the folder of a run, or a network with --weights."""
    run = opened(file)
    for read in (
        file,
        *([str(weights)] if weights else []),
        *(map(str, run.folder.glob("*.safetensors")) if run else ()),
    ):
        refuse_name(context, output, read, (".safetensors",), "a quantised network")
    if run is not None and (parameters or inputs or normalize):
        raise click.UsageError("a run knows its parameters, size and --normalize; give none", context)
    if run is None and weights is None:
        raise click.UsageError("a network takes --weights, a file of trained ones, or `published`", context)
    if run is None and data is None:
        raise click.UsageError(
            "--data is needed: pictures as the network will see, from which the ranges of its numbers are taken; a folder "
            "with 8 to 64 of them suffices, without labels",
            context,
        )
    if output is None:
        raise click.UsageError("say which file to write with -o, as `-o quantized.safetensors`", context)
    if output.suffix != ".safetensors":
        raise click.UsageError(f"expected a name in .safetensors, found {output.name}", context)
    from cnndsl.arrays.weights import checked
    from cnndsl.calibration.calibrate import quantize
    from cnndsl.published.weights import use_of
    from cnndsl.quantization.file import write_quantization
    from cnndsl.training.trained.unlabelled import read_unlabelled

    graph = read_network(file, parameters, inputs).graph if run is None else run.graph
    if weights is not None:
        given = read_given(graph, weights)
        arrays = checked(graph, given.arrays, given.origin)
        use = use_of(graph, given, normalize) if run is None else run.use
    else:
        assert run is not None
        arrays, use = run.weights(), run.use
    source = data if data is not None else file
    with step("reading examples"):
        examples = read_unlabelled(graph, source, use.reading, images, seed)
    with _progress(graph.name) as tell:
        found = quantize(graph, arrays, examples.calibration, examples.held_out, keep, max_error, tell)
    write_quantization(output, found.quantization)
    if format == "json":
        say(found.report.to_json())
    else:
        from cnndsl.calibration.text import to_text

        say(to_text(found.report))
    note(f"wrote {output}")


@contextmanager
def _progress(name: str) -> Iterator[Tell]:
    """What is being done and how far it is: a bar on a terminal, elsewhere a line for each kind of work."""
    if not sys.stderr.isatty():
        said: set[str] = set()

        def lines(what: str, _done: int, _whole: int) -> None:
            if what not in said:
                said.add(what)
                note(f"  {what} …")

        note(f"quantising {name} …")
        yield lines
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True, no_color=not colorful(sys.stderr)), transient=True) as bar:
        task = bar.add_task(f"quantising {name}", total=None)
        yield lambda what, done, whole: bar.update(task, description=what, completed=done, total=whole)
