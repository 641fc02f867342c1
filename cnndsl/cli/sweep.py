"""`cnndsl sweep`: all combinations of parameters, sizes and models, with their figures."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from cnndsl.cli.shared.reading import file_argument, is_foreign, network_options
from cnndsl.cli.shared.timing import machine_meant
from cnndsl.cli.shared.voice import colorful, note, say
from cnndsl.cli.shared.writing import refuse_name

if TYPE_CHECKING:
    from cnndsl.sweeping.conditions import Expression
    from cnndsl.sweeping.rows import Row
    from cnndsl.sweeping.sweep import Sweep, Tell

PICTURES = (".svg", ".png", ".pdf", ".tex")


def _names(context: click.Context, parameter: click.Parameter, value: str | None) -> tuple[str, ...]:
    return () if value is None else tuple(word.strip() for word in value.split(","))


@click.command("sweep")
@file_argument
@click.option("--models", callback=_names, metavar="A,B|all", help="Models of the file, instead of one.")
@click.option("--where", metavar="CONDITION", help="Keep variants for which this holds: `macs < 300M and rf >= 200`.")
@click.option("--sort", metavar="VALUE", help="Least first: a figure, a parameter, or `-params`, `params / macs`.")
@click.option("--best", metavar="VALUE", help="Only the variant with the most of it; `-macs` for the least.")
@click.option("--columns", callback=_names, metavar="A,B,…", help="Figures of the table.  [default: params,macs]")
@click.option("--format", type=click.Choice(["table", "csv", "json", "md"]), default="table", show_default=True)
@click.option("-o", "--output", type=click.Path(path_type=Path), help="A plot of all variants: svg, png, pdf, tex.")
@click.option(
    "--plot",
    callback=_names,
    default="macs,params",
    metavar="X,Y",
    show_default=True,
    help="Its axes; the Pareto front has the most of Y for the least of X.",
)
@click.option("--jobs", type=click.IntRange(1), help="Processes.  [default: the cores of this machine]")
@click.option(
    "--into", type=click.Path(path_type=Path), help="A file that keeps every row: run again, it goes on there."
)
@click.option("--scheduler", metavar="ADDRESS", help="Build on the workers of a Dask cluster: tcp://HOST:8786.")
@click.option(
    "--target",
    metavar="MACHINE",
    help="Of the figure `latency`: a machine's name or file, as `cnndsl limits` wrote it.",
)
@network_options
@click.pass_context
def command(
    context: click.Context,
    file: str,
    models: tuple[str, ...],
    where: str | None,
    sort: str | None,
    best: str | None,
    columns: tuple[str, ...],
    format: str,
    output: Path | None,
    plot: tuple[str, ...],
    jobs: int | None,
    into: Path | None,
    scheduler: str | None,
    target: str | None,
    parameters: Mapping[str, str],
    inputs: Mapping[str, str],
) -> None:
    """Build every combination of parameters, sizes and models, and list the figures.

    -P takes several values: `-P width=16..64:8 -P act=ReLU,SiLU`; --input likewise: `--input 3x128..256:32x128..256:32`, where
    equal ranges go together.
    """
    from cnndsl.sweeping.call import refuse_unknown
    from cnndsl.sweeping.call import sweep as swept_by
    from cnndsl.sweeping.conditions import Expression

    if is_foreign(file):
        raise click.UsageError(f"a sweep takes a program; `cnndsl import {file} -o net.cnn` makes one", context)
    if len(plot) != 2:
        raise click.UsageError(f"--plot takes two figures, as in macs,params; found {','.join(plot)}", context)
    refuse_name(context, output, file, PICTURES, "a plot")
    refuse_name(context, into, file, (".jsonl",), "the rows of a sweep", "--into")
    refuse_unknown(columns)
    names = tuple(parameters)
    told = {"--where": where, "--sort": sort, "--best": best}
    asked = {option: Expression(option, text, names) for option, text in told.items() if text}
    axes = [Expression("--plot", text, names) for text in plot] if output else []
    _settle_machine(target)
    spoken = [name for expression in [*asked.values(), *axes] for name in expression.figures]
    shown = columns or tuple(dict.fromkeys(["params", "macs", *spoken]))
    if "latency" in (*shown, *spoken):
        # Refused here, once, and not for each variant.
        machine_meant(None)
    sweep = swept_by(
        file,
        input=dict(inputs),
        models=models or None,
        figures=tuple(dict.fromkeys([*shown, *spoken])),
        jobs=jobs,
        into=into,
        scheduler=scheduler,
        **parameters,
    )
    sweep.where = asked.get("--where")
    with _progress() as sweep.tell:
        rows = list(sweep.rows())
    if len(sweep.refused) == sweep.tried:
        _refuse_all(file, sweep)
    if output is not None:
        _draw(rows, axes, output, sweep)
    _say(_chosen(rows, asked.get("--sort"), asked.get("--best")), sweep, shown, format)
    _account(len(rows), sweep, where)


def _settle_machine(target: str | None) -> None:
    """What processes that build variants are told, too."""
    if target is None:
        return
    import os
    from pathlib import Path

    from cnndsl.latency.machine import MEANT

    os.environ[MEANT] = str(Path(target).resolve()) if target.endswith(".json") else target


def _chosen(rows: list[Row], sort: Expression | None, best: Expression | None) -> list[Row]:
    """The rows in order, or the best one; those without the figure come last."""
    if best is not None:
        known = [(value, row) for row in rows if (value := best.number(row)) is not None]
        return [max(known, key=lambda pair: pair[0])[1]] if known else []
    if sort is None:
        return rows
    infinity = float("inf")
    return sorted(rows, key=lambda row: infinity if (value := sort.number(row)) is None else value)


def _say(rows: Sequence[Row], sweep: Sweep, shown: tuple[str, ...], format: str) -> None:
    from cnndsl.sweeping import listing

    if format == "json":
        say(listing.to_json(rows, sweep.refused, sweep.tried))
        return
    names = listing.columns(rows, tuple(sweep.grid.parameters), shown)
    to = {"table": listing.to_text, "csv": listing.to_csv, "md": listing.to_markdown}[format]
    if rows or format == "csv":
        say(to(rows, names))
        # Where both go into one pipe, the account stands behind the rows.
        sys.stdout.flush()


def _account(kept: int, sweep: Sweep, where: str | None) -> None:
    """How many variants there were, and what cannot be built and why."""
    from cnndsl.sweeping.listing import reasons

    count = f"{sweep.tried:,} variant{'' if sweep.tried == 1 else 's'}"
    kinds = [f"{kept:,} with {where}"] if where else []
    kinds += [f"{len(sweep.refused):,} cannot be built"] if sweep.refused else []
    note(f"{count}: {', '.join(kinds)}" if kinds else count)
    for line in reasons(sweep.refused):
        note(f"  {line}")


def _refuse_all(file: str, sweep: Sweep) -> None:
    """Raises the error of the first variant, with all that can be said of it, where none can be built."""
    from dataclasses import replace

    from cnndsl.pipeline import load_origin

    first = sweep.refused[0].variant
    origin = sweep.program.origin
    note(f"none of {sweep.tried:,} variants can be built; of {first.words}:")
    load_origin(replace(origin, model=first.model or origin.model), first.parameters, first.inputs)


def _draw(rows: Sequence[Row], axes: Sequence[Expression], output: Path, sweep: Sweep) -> None:
    from cnndsl.backends.drawing.draw import draw_figure
    from cnndsl.sweeping.front import Point, plot

    across, up = axes
    points = [
        Point(x, y, row.variant.words)
        for row in rows
        if (x := across.number(row)) is not None and (y := up.number(row)) is not None
    ]
    if not points:
        note(f"nothing to draw: no variant has {across.text} and {up.text}")
        return
    draw_figure(lambda: plot(points, f"{sweep.program.stem}, {len(points):,} variants", across.text, up.text), output)
    note(f"wrote {output}")


@contextmanager
def _progress() -> Iterator[Tell]:
    """Something to tell how far a sweep is: a bar on a terminal, elsewhere a line at each quarter."""
    if not sys.stderr.isatty():
        yield _quarters()
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeRemainingColumn

    console = Console(stderr=True, no_color=not colorful(sys.stderr))
    with Progress(BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(), console=console, transient=True) as bar:
        task = bar.add_task("", total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


def _quarters() -> Callable[[int, int], None]:
    told = 0

    def tell(done: int, total: int) -> None:
        nonlocal told
        if total >= LONG and (quarter := 4 * done // total) > told:
            told = quarter
            note(f"  {done:,} of {total:,}")

    return tell


LONG = 1000
"""Variants from which progress is told where there is no terminal."""
