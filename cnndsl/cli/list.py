"""`cnndsl list`: the built-in architectures."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict

import click

from cnndsl.cli.shared.voice import say


@click.command("list")
@click.option("--format", type=click.Choice(["table", "json", "md"]), default="table", show_default=True)
def command(format: str) -> None:
    """List the built-in architectures with parameters, MACs, receptive field and source paper."""
    from cnndsl.reference.gallery import page, short, times
    from cnndsl.reference.gallery import rows as gallery

    rows = gallery()
    if format == "md":
        say(page(rows).rstrip())
        return
    if format == "json":
        say(json.dumps({"schema": 1, "architectures": [asdict(row) for row in rows]}, ensure_ascii=False, indent=1))
        return
    header = ("name", "input", "params", "MACs", "RF", "paper")
    cells = [header] + [
        (r.name, r.input, short(r.params), short(r.macs), times(r.receptive_field), r.paper) for r in rows
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


def _terminal_width() -> int:
    import shutil

    return shutil.get_terminal_size((100, 24)).columns if sys.stdout.isatty() else 10_000
