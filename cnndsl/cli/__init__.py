"""The command line: one file per verb, each imported when it is used."""

from __future__ import annotations

from collections.abc import Sequence

from cnndsl.cli.shared.group import VERBS, Verbs
from cnndsl.cli.shared.outcome import outcome

__all__ = ["VERBS", "cli", "run"]

cli = Verbs(
    name="cnndsl",
    help="A text language and compiler for convolutional networks.\n\n"
    "FILE is a path, `-` for standard input, or a built-in architecture (`cnndsl list`); FILE:NAME picks a model.",
)


def run(arguments: Sequence[str]) -> int:
    """Runs one command and says how it went: 0 fine, 1 the program is wrong, 2 the command line is, 3 something is
    missing on this machine, 70 a bug of ours, 130 interrupted."""
    return outcome(cli, arguments)
