"""`cnndsl report`: a network as one web page."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import click

from cnndsl.cli.shared.reading import file_argument, leave_over_budget, network_options, read_network
from cnndsl.cli.shared.timing import latency_options, refuse_lone_target, timed, timer
from cnndsl.cli.shared.voice import note
from cnndsl.cli.shared.writing import refuse_name


@click.command("report")
@file_argument
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    help="Where to write the page.  [default: NAME.html in this folder]",
)
@click.option(
    "--quantized",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Also show what quantising cost each layer: FILE is what `cnndsl quantize` wrote.",
)
@click.option("--peak", type=click.FloatRange(min=0, min_open=True), help="GFLOP/s of the roofline's machine.")
@click.option("--bandwidth", type=click.FloatRange(min=0, min_open=True), help="GB/s of the roofline's machine.")
@click.option("--advise", is_flag=True, help="Show where parameters, MACs and time go, and changes that were tried.")
@latency_options
@network_options
@click.pass_context
def command(
    context: click.Context,
    file: str,
    output: Path | None,
    quantized: Path | None,
    peak: float | None,
    bandwidth: float | None,
    advise: bool,
    latency: bool,
    target: str | None,
    parameters: Mapping[str, str],
    inputs: Mapping[str, str],
) -> None:
    """Write one self-contained web page: diagram, table, plots, source."""
    from cnndsl.analyses.summary import summarize
    from cnndsl.calibration.report import read_report
    from cnndsl.disk.files import write_atomically
    from cnndsl.webpage.page import BANDWIDTH, PEAK, page

    refuse_lone_target(context, target, latency=latency)
    refuse_name(context, output, file, (".html", ".htm"), "a web page")
    loaded = read_network(file, parameters, inputs, over_budget=True)
    summary = summarize(loaded.graph, (*loaded.warnings, *loaded.broken))
    if latency:
        summary = timed(loaded.graph, summary, target)
    path = output or Path(f"{loaded.graph.name}.html")
    cost = None if quantized is None else read_report(quantized, loaded.graph)
    machine = {"peak": peak or PEAK, "bandwidth": bandwidth or BANDWIDTH}
    advice = None
    if advise:
        from cnndsl.advice import advise_file
        from cnndsl.webpage.advised import advised

        seconds = timer(target) if latency else None
        advice = advised(loaded.graph, summary, advise_file(file, loaded.graph, seconds, parameters, inputs))
    write_atomically(path, page(loaded.graph, summary, **machine, quantized=cost, advice=advice))
    note(f"wrote {path}")
    leave_over_budget(context, loaded)
