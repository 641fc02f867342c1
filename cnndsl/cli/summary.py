"""`cnndsl summary`: everything static about a network."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import click

from cnndsl.cli.shared.reading import file_argument, leave_over_budget, network_options, read_network
from cnndsl.cli.shared.timing import latency_options, refuse_lone_target, timed, timer
from cnndsl.cli.shared.voice import note, say

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
    help="Columns of table and md: layer, kind, output, params, params%, macs, macs%, flops, rf, latency.",
)
@click.option("--format", type=click.Choice(["table", "json", "csv", "md"]), default="table", show_default=True)
@click.option("--strict-rf", is_flag=True, help="Count what gates see (squeeze-excite) into receptive fields.")
@click.option(
    "--batch", type=click.IntRange(1), default=1, show_default=True, help="Examples that memory is counted for."
)
@click.option(
    "--precision",
    type=click.Choice(["f32", "f16", "bf16", "int8"]),
    default="f32",
    show_default=True,
    help="Numbers that memory is counted in, and time is estimated for; int8 with --latency alone.",
)
@click.option(
    "--quantized",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Also show what quantising cost each layer: FILE is what `cnndsl quantize` wrote.",
)
@click.option("--sizes", is_flag=True, help="Say which input sizes can be built; found by trial.")
@click.option("--advise", is_flag=True, help="Say where parameters, MACs and time go, and changes that were tried.")
@latency_options
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
    precision: str,
    quantized: Path | None,
    sizes: bool,
    advise: bool,
    latency: bool,
    target: str | None,
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
    refuse_lone_target(context, target, latency=latency)
    if (precision == "int8" and not latency) or (precision == "f16" and latency):
        there = "f32, bf16 and int8" if latency else "f32, f16 and bf16"
        raise click.UsageError(f"--precision {precision} is not for this: there are {there}", context)
    from cnndsl.analyses.summary import summarize

    loaded = read_network(file, parameters, inputs, over_budget=True)
    # Memory is counted for float32 where the network is in whole numbers: that of its package is another matter.
    counted: Precision = "f32" if precision == "int8" else precision  # type: ignore[assignment]  # the choices above
    summary = summarize(
        loaded.graph, (*loaded.warnings, *loaded.broken), strict=strict_rf, batch=batch, precision=counted
    )
    if latency:
        summary = timed(loaded.graph, summary, target, precision, batch)  # type: ignore[arg-type]  # the choices above
    if format == "json":
        say(summary.to_json(indent=1))
    else:
        _say_table(loaded.graph, summary, format, depth, columns)
    if advise:
        from cnndsl.advice import advice_lines, advise_file

        seconds = timer(target, precision, batch) if latency else None  # type: ignore[arg-type]  # the choices above
        # Beside a document that programs read it goes to stderr.
        tell = note if format in ("json", "csv") else say
        for line in advice_lines(summary, advise_file(file, loaded.graph, seconds, parameters, inputs)):
            tell(line)
    if quantized is not None:
        from cnndsl.calibration.report import read_report
        from cnndsl.calibration.text import to_text as errors

        say(f"\nin whole numbers, {quantized.name}\n{errors(read_report(quantized, loaded.graph), histograms=True)}")
    leave_over_budget(context, loaded)


def _say_table(graph: Graph, summary: Summary, format: str, depth: int | None, columns: tuple[str, ...] | None) -> None:
    from cnndsl.analyses.outline import rows
    from cnndsl.analyses.table import to_csv, to_markdown, to_text, usual

    outline = rows(graph, summary, depth)
    if format == "csv":
        say(to_csv(outline))
    elif format == "md":
        say(to_markdown(outline, columns or usual(summary)))
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
