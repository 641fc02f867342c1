"""`cnndsl completion`: the script that teaches a shell our verbs, options and architectures."""

from __future__ import annotations

import click

from cnndsl.cli.shared.voice import say

SHELLS = ("bash", "zsh", "fish")


@click.command("completion", epilog='For bash: eval "$(cnndsl completion bash)" in ~/.bashrc')
@click.argument("shell", type=click.Choice(SHELLS))
@click.pass_context
def command(context: click.Context, shell: str) -> None:
    """Print shell completion for bash, zsh or fish."""
    from click.shell_completion import ShellComplete, get_completion_class

    kind = get_completion_class(shell)
    assert kind is not None
    assert isinstance(context.parent, click.Context)
    complete = kind(context.parent.command, {}, "cnndsl", "_CNNDSL_COMPLETE")
    # The base class's text: bash's own first asks the machine's bash for its version, which may not be there.
    say(ShellComplete.source(complete))
