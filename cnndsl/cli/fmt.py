"""`cnndsl fmt`: programs in their canonical form."""

from __future__ import annotations

import sys
from codecs import BOM_UTF8
from pathlib import Path

import click

from cnndsl.cli.shared.outcome import WRONG_PROGRAM, code_of_errors
from cnndsl.cli.shared.voice import note, report, say
from cnndsl.diagnostics.errors import CnnError


@click.command("fmt")
@click.argument("files", metavar="FILE…", nargs=-1, required=True)
@click.option("--check", is_flag=True, help="Write nothing; fail where a file would change.")
@click.option("--diff", is_flag=True, help="Write nothing; show what would change, and fail where something would.")
@click.pass_context
def command(context: click.Context, files: tuple[str, ...], check: bool, diff: bool) -> None:
    """Rewrite networks in canonical form; `-` reads standard input and writes standard output."""
    from cnndsl.disk.files import write_atomically
    from cnndsl.passes.read_program import read_program
    from cnndsl.pipeline import format_text

    failed, code = False, 0
    for file in files:
        try:
            origin = read_program(file)
            if file != "-" and origin.path is None:
                raise click.UsageError(f"{file} is built in; give a path, or `-`", context)
            old, new = origin.source.text, format_text(origin.source)
            # A byte order mark is not in the text any more, and does not stay.
            changed = old != new or (origin.path is not None and origin.path.read_bytes().startswith(BOM_UTF8))
        except CnnError as error:
            # The other files can still be formatted.
            report(error.diagnostics)
            code = max(code, code_of_errors(error.diagnostics))
            continue
        if check or diff:
            failed |= changed
            if diff and old != new:
                say(_diff(origin.source.name, old, new))
            elif changed:
                note(f"would reformat {file}")
        elif origin.path is None:
            sys.stdout.write(new)
        elif changed:
            write_atomically(Path(origin.path), new)
            note(f"reformatted {file}")
    if code or failed:
        context.exit(code or WRONG_PROGRAM)


def _diff(name: str, old: str, new: str) -> str:
    from difflib import unified_diff

    lines = unified_diff(old.splitlines(), new.splitlines(), name, f"{name} (formatted)", lineterm="")
    return "\n".join(lines)
