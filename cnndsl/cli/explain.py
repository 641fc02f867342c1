"""`cnndsl explain`: what a word means."""

from __future__ import annotations

import sys

import click

from cnndsl.cli.shared.voice import say


@click.command("explain")
@click.argument("words", metavar="WORD", nargs=-1, required=True)
@click.pass_context
def command(context: click.Context, words: tuple[str, ...]) -> None:
    """Explain a layer (`Conv`, `Conv3x3`), a notion (`stride`, `receptive field`), the id of a diagnostic
    (`shape-mismatch`), a function (`round_to`), a built-in network, or a word of PyTorch, Keras or ONNX (`BatchNorm2d`).

    `layers`, `errors`, `functions` and `limits` list all of a kind.
    """
    word = " ".join(words)
    from cnndsl.reference.explanation import explain, nearest_words

    text = explain(word)
    if text is None:
        near = nearest_words(word)
        hint = (
            f"did you mean {' or '.join(f'`{n}`' for n in near)}?"
            if near
            else "`cnndsl explain layers` lists the layers"
        )
        raise click.UsageError(f"nothing is known of `{word}`; {hint}", context)
    if sys.stdout.isatty():
        from rich.console import Console
        from rich.markdown import Markdown

        Console().print(Markdown(text))
    else:
        say(text)
