"""`cnndsl lsp`: the language server."""

from __future__ import annotations

import click


@click.command("lsp")
@click.option("--stdio", is_flag=True, help="Speak on standard input and output, as always; some editors say so.")
def command(stdio: bool) -> None:
    """Speak the Language Server Protocol: shapes and mistakes in your editor, while you type."""
    from cnndsl.diagnostics.errors import MissingPart

    try:
        from cnndsl.lsp.serve import serve
    except ModuleNotFoundError as error:
        missing = (error.name or "").partition(".")[0]
        if missing not in ("pygls", "lsprotocol"):
            raise
        from cnndsl.diagnostics.extras import how_to_install

        raise MissingPart(f"the language server needs {missing}", how_to_install("lsp")) from None
    serve()
