"""`cnndsl import`: a network from elsewhere becomes a readable program, proved to be the same."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import click

from cnndsl.cli.shared.reading import network_options
from cnndsl.cli.shared.voice import note, say, step


@click.command("import")
@click.argument("source", metavar="SOURCE")
@click.option("-o", "--output", type=click.Path(path_type=Path), help="A .cnn file; `-`, the default, is stdout.")
@click.option("--pretrained", is_flag=True, help="Take a library's published weights.")
@click.option("--flat", is_flag=True, help="Chains only: no blocks, no brackets, no repeats.")
@click.option(
    "--from",
    "starts",
    multiple=True,
    metavar="TENSOR",
    help="Begin at this tensor of an ONNX file; may be given several times.",
)
@click.option(
    "--to",
    "ends",
    multiple=True,
    metavar="TENSOR",
    help="End at this tensor of an ONNX file; may be given several times.",
)
@click.option("--force", is_flag=True, help="Replace a program that is there.")
@click.option("--format", type=click.Choice(["text", "json"]), default="text", show_default=True)
@network_options
@click.pass_context
def command(
    context: click.Context,
    source: str,
    output: Path | None,
    pretrained: bool,
    flat: bool,
    starts: tuple[str, ...],
    ends: tuple[str, ...],
    force: bool,
    format: str,
    parameters: Mapping[str, str],
    inputs: Mapping[str, str],
) -> None:
    """Turn a network into a program, and prove that it is the same.

    SOURCE is model.onnx, program.pt2, timm:NAME or torchvision:NAME; -P goes to a library's constructor. The weights, where
    there are any, are written beside the program as .safetensors. --from and --to take the part of an ONNX file between
    tensors: a network of its own, where the language cannot say what comes before or after.
    """
    if output is not None and str(output) != "-":
        if output.suffix != ".cnn":
            raise click.UsageError(f"expected a name in .cnn, found {output.name}", context)
        if output.exists() and not force:
            raise click.UsageError(f"{output} is there already; give another name, or --force", context)
    from cnndsl.importing.sources import import_source

    with step(f"importing {source}"):
        imported = import_source(source, parameters, inputs, pretrained=pretrained, flat=flat, starts=starts, ends=ends)
    report = imported.report
    if output is None or str(output) == "-":
        if format == "json":
            say(report.to_json())
        else:
            say(imported.text)
    else:
        from cnndsl.arrays.weights import write_weights
        from cnndsl.disk.files import write_atomically

        write_atomically(output, imported.text)
        note(f"wrote {output}")
        if imported.weights is not None and (pretrained or ":" not in source):
            write_weights(output.with_suffix(".safetensors"), imported.weights)
            note(f"wrote {output.with_suffix('.safetensors')}")
        if format == "json":
            say(report.to_json())
    note(report.said())
