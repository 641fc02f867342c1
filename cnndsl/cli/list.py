"""`cnndsl list`: the built-in architectures."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict, dataclass

import click

from cnndsl.cli.voice import say


@dataclass(frozen=True)
class Row:
    """An architecture with its figures at its own input size."""

    name: str
    input: str
    params: int
    macs: int
    receptive_field: list[int]
    paper: str


@click.command("list")
@click.option("--format", type=click.Choice(["table", "json"]), default="table", show_default=True)
def command(format: str) -> None:
    """List the built-in architectures with parameters, MACs, receptive field and source paper."""
    from cnndsl.shelf import architectures

    rows = [_row(name) for name in architectures()]
    if format == "json":
        say(json.dumps({"schema": 1, "architectures": [asdict(row) for row in rows]}, ensure_ascii=False, indent=1))
        return
    header = ("name", "input", "params", "MACs", "RF", "paper")
    cells = [header] + [
        (r.name, r.input, _short(r.params), _short(r.macs), "×".join(map(str, r.receptive_field)) or "–", r.paper)
        for r in rows
    ]
    widths = [max(len(line[i]) for line in cells) for i in range(5)]
    room = _terminal_width() - sum(widths) - 2 * len(widths)
    for line in cells:
        *words, paper = (
            line[0].ljust(widths[0]),
            line[1].ljust(widths[1]),
            *(line[i].rjust(widths[i]) for i in (2, 3, 4)),
            line[5],
        )
        say("  ".join([*words, paper if len(paper) <= room else f"{paper[: max(room - 1, 0)]}…"]).rstrip())


def _row(name: str) -> Row:
    from cnndsl.analyses.summary import summarize
    from cnndsl.pipeline import load
    from cnndsl.shelf import papers

    graph = load(name).graph
    summary = summarize(graph, ())
    field = summary.receptive_field
    return Row(
        name=name,
        input=", ".join(str(i.type) for i in graph.inputs),
        params=summary.totals.params,
        macs=summary.totals.macs,
        receptive_field=list(field.size) if field else [],
        paper=papers(name),
    )


def _short(number: int) -> str:
    """Three significant digits: 25.6M, 4.09G."""
    for unit, size in (("G", 10**9), ("M", 10**6), ("K", 10**3)):
        if number >= size:
            return f"{number / size:#.3g}".rstrip(".") + unit if number < 1000 * size else f"{number // size}{unit}"
    return str(number)


def _terminal_width() -> int:
    import shutil

    return shutil.get_terminal_size((100, 24)).columns if sys.stdout.isatty() else 10_000
