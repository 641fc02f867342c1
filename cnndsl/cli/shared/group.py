"""The verbs by name, imported when used; a misspelt one is told the nearest."""

from __future__ import annotations

from importlib import import_module
from keyword import iskeyword
from typing import Any

import click

from cnndsl.version import __version__

VERBS = (
    "check",
    "summary",
    "draw",
    "diff",
    "sweep",
    "report",
    "preview",
    "compile",
    "limits",
    "tune",
    "run",
    "bench",
    "train",
    "quantize",
    "evaluate",
    "predict",
    "inspect",
    "verify",
    "weights",
    "import",
    "fmt",
    "explain",
    "list",
    "lsp",
    "completion",
)


def _print_version(context: click.Context, _: click.Parameter, wanted: bool) -> None:
    if wanted and not context.resilient_parsing:
        click.echo(f"cnndsl {__version__}")
        context.exit()


class Verbs(click.Group):
    """A group whose commands are the modules of this package that `VERBS` names."""

    def __init__(self, **options: Any) -> None:
        version = click.Option(
            ["--version", "-V"],
            is_flag=True,
            is_eager=True,
            expose_value=False,
            callback=_print_version,
            help="Show the version and leave.",
        )
        super().__init__(params=[version], context_settings={"help_option_names": ["--help", "-h"]}, **options)

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in VERBS:
            return None
        # `import` cannot be a module's name.
        module = f"{cmd_name}_" if iskeyword(cmd_name) else cmd_name
        command: click.Command = import_module(f"cnndsl.cli.{module}").command
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        word = args[0]
        if word not in VERBS and not word.startswith("-") and not ctx.resilient_parsing:
            # Only who mistypes a verb pays for this import.
            from cnndsl.diagnostics.nearest import nearest

            near = nearest(word, VERBS)
            help = f"did you mean `cnndsl {near}`?" if near else f"expected one of {', '.join(VERBS)}"
            raise click.UsageError(f"there is no verb `{word}`; {help}", ctx)
        return super().resolve_command(ctx, args)
