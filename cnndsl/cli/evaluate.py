"""`cnndsl evaluate`: how well a trained network recognises examples it has not seen."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import click

from cnndsl.cli.shared.reading import file_argument, network_options
from cnndsl.cli.shared.recognising import opened, recogniser
from cnndsl.cli.shared.voice import note, say, step
from cnndsl.cli.shared.weighing import read_quantized, weights_option

PICTURES = (".svg", ".png", ".pdf")


@click.command("evaluate")
@file_argument
@weights_option("Other weights than the run's best; required where FILE is a network and no run.")
@click.option(
    "--quantized", type=click.Path(path_type=Path), metavar="FILE", help="Also measure what `cnndsl quantize` wrote."
)
@click.option("--data", help="`digits`, a folder of class folders, or an .npz file.  [default: what the run held out]")
@click.option("--validation", type=click.FloatRange(0, 1, True, True), help="Take only what training holds out so.")
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help="The seed of --validation.")
@click.option(
    "--normalize", type=click.Choice(["none", "imagenet"]), help="As in training.  [default: the run's, or none]"
)
@click.option("--format", type=click.Choice(["text", "json"]), default="text", show_default=True)
@click.option("-o", "--output", type=click.Path(path_type=Path), help="Draw the confusion matrix: svg, png, pdf.")
@network_options
@click.pass_context
def command(
    context: click.Context,
    file: str,
    weights: Path | None,
    quantized: Path | None,
    data: str | None,
    validation: float | None,
    seed: int,
    normalize: str | None,
    format: str,
    output: Path | None,
    parameters: Mapping[str, str],
    inputs: Mapping[str, str],
) -> None:
    """Measure a trained network: FILE is the folder of a run, or a network with --weights."""
    if output is not None and output.suffix not in PICTURES:
        raise click.UsageError(f"expected a name in {', '.join(PICTURES)}, found {output.name}", context)
    run = opened(file)
    if run is None and data is None:
        raise click.UsageError("a network takes --data, examples to be measured with", context)
    network = recogniser(context, file, run, weights, normalize, parameters, inputs)
    held_out = None if validation is None else (validation, seed)
    if run is not None and data is None:
        data, held_out = run.options.data, (run.options.validation, run.options.seed)
    assert data is not None
    quantization = None if quantized is None else read_quantized(quantized)
    with step(f"evaluating {network.graph.name}"):
        report = network.evaluate(data, held_out, quantization)
    if format == "json":
        say(json.dumps(report.json()))
    else:
        five = f", {report.top5:.2%} within five guesses" if len(report.classes) > 10 else ""
        say(f"{report.accuracy:.2%} of {report.count:,} examples are recognised{five}, loss {report.loss:.4f}")
        if report.quantized is not None:
            say(f"quantised {report.quantized:.2%}; it says the same as in float32 of {report.agreement:.2%}")
        for line in report.mistakes():
            say(f"  {line}")
    if output is not None:
        from cnndsl.disk.files import write_atomically
        from cnndsl.training.loop.curves import confusion

        title = f"{network.graph.name}: {report.accuracy:.2%} of {report.count:,}"
        write_atomically(output, confusion(report.confusion, report.classes, title, output.suffix[1:]))
        note(f"wrote {output}")
