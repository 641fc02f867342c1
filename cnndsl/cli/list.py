"""`cnndsl list`: the built-in architectures."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from cnndsl.cli.shared.voice import say

if TYPE_CHECKING:
    from cnndsl.reference.gallery import Row

_WIDE = 10_000
"""Characters of a line that goes to no terminal: nothing is shortened."""


@click.command("list")
@click.option("--format", type=click.Choice(["table", "json", "md"]), default="table", show_default=True)
def command(format: str) -> None:
    """List the built-in architectures, family by family, with parameters, MACs and receptive field."""
    from cnndsl.reference.gallery import page
    from cnndsl.reference.known_figures import rows

    if format == "md":
        say(page(list(rows())).rstrip())
    elif format == "json":
        found = [asdict(row) for row in rows()]
        say(json.dumps({"schema": 1, "architectures": found}, ensure_ascii=False, indent=1))
    else:
        _say_table(_terminal_width())


def _say_table(room: int) -> None:
    """Each row as soon as it is known; above each family what it is."""
    from cnndsl.disk import shelf
    from cnndsl.reference.known_figures import rows

    wide = max(map(len, shelf.architectures()))
    say(_fitted(_line(wide, "network", "input", "params", "MACs", "RF"), room))
    family = None
    for row in rows():
        if row.family != family:
            family = row.family
            say(_fitted(f"\n{shelf.about(row.name) or family}", room))
            if row.paper:
                say(_fitted(f"  {row.paper}", room))
        say(_fitted(_row(wide, row), room))
        sys.stdout.flush()


def _row(wide: int, row: Row) -> str:
    from cnndsl.reference.gallery import short, sight

    return _line(wide, row.name, row.input, short(row.params), short(row.macs), sight(row))


def _line(wide: int, name: str, input: str, params: str, macs: str, field: str) -> str:
    return f"  {name:<{wide}}  {params:>6}  {macs:>6}  {field:>11}  {input}"


def _fitted(line: str, room: int) -> str:
    """The line, cut where the terminal ends."""
    head = line[: len(line) - len(line.lstrip("\n"))]
    text = line.lstrip("\n")
    return head + (text if len(text) <= room else f"{text[: room - 1]}…")


def _terminal_width() -> int:
    import shutil

    return shutil.get_terminal_size((80, 24)).columns if sys.stdout.isatty() else _WIDE
