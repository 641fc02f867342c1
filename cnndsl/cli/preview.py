"""`cnndsl preview`: a page in the browser that follows a program."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Mapping
from pathlib import Path

import click

from cnndsl.cli.shared.reading import file_argument, is_foreign, network_options
from cnndsl.cli.shared.voice import note, say


@click.command("preview")
@file_argument
@click.option(
    "--port", type=click.IntRange(0, 65535), default=0, help="Where it listens.  [default: a port that is free]"
)
@click.option("--open/--no-open", "shown", default=True, show_default=True, help="Open the page in the browser.")
@click.option(
    "--editor",
    metavar="COMMAND",
    help="What opens a line of the text, such as `code -g {file}:{line}:{column}`.",
)
@click.option(
    "--image",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="The photograph under the receptive field; another can be chosen on the page.",
)
@network_options
@click.pass_context
def command(
    context: click.Context,
    file: str,
    port: int,
    shown: bool,
    editor: str | None,
    image: Path | None,
    parameters: Mapping[str, str],
    inputs: Mapping[str, str],
) -> None:
    """Show the report's page in the browser, and draw it again whenever FILE is saved."""
    from cnndsl.diagnostics.errors import MissingPart
    from cnndsl.passes.read_program import read_program

    if file == "-":
        raise click.UsageError("standard input cannot be followed; give a file", context)
    if is_foreign(file):
        raise click.UsageError(f"`{file}` is no text to follow; `cnndsl import {file} -o net.cnn` writes one", context)
    try:
        command = tuple(shlex.split(editor)) if editor else ()
    except ValueError as error:
        raise click.BadParameter(f"{error}: {editor}", context, param_hint="--editor") from None
    if editor and not any("{file}" in part for part in command):
        raise click.BadParameter(f"expected {{file}} in it, found {editor!r}", context, param_hint="--editor")
    # A file that is not there is told before anything starts; one that is wrong is told on the page.
    read_program(file)
    try:
        from cnndsl.preview.follow import Settings
        from cnndsl.preview.serve import serve
    except ModuleNotFoundError as error:
        missing = (error.name or "").partition(".")[0]
        if missing not in ("starlette", "uvicorn", "anyio", "h11"):
            raise
        from cnndsl.diagnostics.extras import how_to_install

        raise MissingPart(f"the preview needs {missing}", how_to_install("preview")) from None

    def tell(address: str) -> None:
        say(address)
        sys.stdout.flush()
        note(f"follows {file}; Ctrl-C ends it")
        if shown:
            import webbrowser

            webbrowser.open(address)

    serve(file, Settings(None, parameters, inputs), port=port, editor=command, photo=image, tell=tell)
