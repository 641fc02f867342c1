"""`cnndsl summary`: everything static about a network."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import click

from cnndsl.cli.shared.reading import file_argument, leave_over_budget, network_options, read_network
from cnndsl.cli.shared.voice import say

if TYPE_CHECKING:
    from cnndsl.analyses.document import Summary
    from cnndsl.analyses.summary import Precision
    from cnndsl.ir.graph import Graph


def _columns(context: click.Context, parameter: click.Parameter, value: str | None) -> tuple[str, ...] | None:
    from cnndsl.analyses.table import COLUMNS

    if value is None:
        return None
    words = tuple(word.strip() for word in value.split(","))
    if unknown := [word for word in words if word not in COLUMNS]:
        raise click.BadParameter(
            f"no column is called {unknown[0]!r}; there are {', '.join(COLUMNS)}", context, parameter
        )
    return words


@click.command("summary")
@file_argument
@click.option("--depth", type=click.IntRange(1), help="Levels of blocks to show; what lies deeper is summed up.")
@click.option(
    "--columns",
    metavar="A,B,…",
    callback=_columns,
    help="Columns of table and md: layer, kind, output, params, params%, macs, macs%, flops, rf.",
)
@click.option("--format", type=click.Choice(["table", "json", "csv", "md"]), default="table", show_default=True)
@click.option("--strict-rf", is_flag=True, help="Count what gates see (squeeze-excite) into receptive fields.")
@click.option(
    "--batch", type=click.IntRange(1), default=1, show_default=True, help="Examples that memory is counted for."
)
@click.option(
    "--precision",
    type=click.Choice(["f32", "f16", "bf16"]),
    default="f32",
    show_default=True,
    help="Numbers that memory is counted in.",
)
@click.option(
    "--quantized",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Also show what quantising cost each layer: FILE is what `cnndsl quantize` wrote.",
)
@click.option("--sizes", is_flag=True, help="Say which input sizes can be built; found by trial.")
@network_options
@click.pass_context
def command(
    context: click.Context,
    file: str,
    depth: int | None,
    columns: tuple[str, ...] | None,
    format: str,
    strict_rf: bool,
    batch: int,
    precision: Precision,
    quantized: Path | None,
    sizes: bool,
    parameters: Mapping[str, str],
    inputs: Mapping[str, str],
) -> None:
    """Show shapes, parameters, MACs, receptive field and memory, layer by layer."""
    if quantized is not None and (sizes or format != "table"):
        raise click.UsageError(
            "--quantized adds to the table; `cnndsl quantize --format json` has it for programs", context
        )
    if sizes:
        _say_sizes(file, parameters, inputs)
        return
    from cnndsl.analyses.summary import summarize

    loaded = read_network(file, parameters, inputs, over_budget=True)
    summary = summarize(
        loaded.graph, (*loaded.warnings, *loaded.broken), strict=strict_rf, batch=batch, precision=precision
    )
    if format == "json":
        say(summary.to_json(indent=1))
    else:
        _say_table(loaded.graph, summary, format, depth, columns)
    if quantized is not None:
        from cnndsl.calibration.report import read_report
        from cnndsl.calibration.text import to_text as errors

        say(f"\nin whole numbers, {quantized.name}\n{errors(read_report(quantized, loaded.graph), histograms=True)}")
    leave_over_budget(context, loaded)


def _say_table(graph: Graph, summary: Summary, format: str, depth: int | None, columns: tuple[str, ...] | None) -> None:
    from cnndsl.analyses.outline import rows
    from cnndsl.analyses.table import USUAL, to_csv, to_markdown, to_text

    outline = rows(graph, summary, depth)
    if format == "csv":
        say(to_csv(outline))
    elif format == "md":
        say(to_markdown(outline, columns or USUAL))
    else:
        say(to_text(outline, _terminal_width(), columns))


def _say_sizes(file: str, parameters: Mapping[str, str], inputs: Mapping[str, str]) -> None:
    """A line for each axis of each input: `image height  a multiple of 32, from 32`."""
    from cnndsl.analyses.valid_sizes import STRETCH
    from cnndsl.passes.read_program import read_program
    from cnndsl.pipeline import valid_sizes

    found = valid_sizes(read_program(file), parameters, inputs)
    width = max((len(f"{axis.input} {axis.axis}") for axis in found), default=0)
    for axis in found:
        rule = str(axis.rule) if axis.rule else f"no simple rule among the {STRETCH} sizes tried"
        say(f"{axis.input} {axis.axis}".ljust(width + 2) + rule)


def _terminal_width() -> int | None:
    """Columns of the terminal; None where there is none and nothing need be shortened."""
    import shutil

    return shutil.get_terminal_size().columns if sys.stdout.isatty() else None
