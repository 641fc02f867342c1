"""`cnndsl check`: what can be said against a program."""

from __future__ import annotations

from collections.abc import Mapping

import click

from cnndsl.cli.shared.outcome import WRONG_PROGRAM, code_of_errors
from cnndsl.cli.shared.reading import files_argument, network_options
from cnndsl.cli.shared.voice import report, say
from cnndsl.diagnostics.errors import Severity


@click.command("check")
@files_argument
@click.option("--format", type=click.Choice(["text", "json", "sarif", "github"]), default="text", show_default=True)
@click.option("--strict", is_flag=True, help="Warnings fail too.")
@network_options
@click.pass_context
def command(
    context: click.Context,
    files: tuple[str, ...],
    format: str,
    strict: bool,
    parameters: Mapping[str, str],
    inputs: Mapping[str, str],
) -> None:
    """Validate and lint networks."""
    from cnndsl.diagnostics import formats
    from cnndsl.pipeline import check

    found = [diagnostic for file in files for diagnostic in check(file, parameters, inputs)]
    errors = sum(diagnostic.severity is Severity.ERROR for diagnostic in found)
    if format == "text":
        report(found)
        say(f"{_count(len(files), 'file')}: {_count(errors, 'error')}, {_count(len(found) - errors, 'warning')}")
    else:
        text = {"json": formats.to_json, "sarif": formats.to_sarif, "github": formats.to_github}[format](found)
        if text:
            say(text)
    if errors:
        context.exit(code_of_errors(found))
    if strict and found:
        context.exit(WRONG_PROGRAM)


def _count(number: int, noun: str) -> str:
    return f"{number or 'no'} {noun}{'' if number == 1 else 's'}"
