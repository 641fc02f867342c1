"""`cnndsl diff`: what changed between two networks, by meaning."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import click

from cnndsl.cli.shared.outcome import WRONG_PROGRAM
from cnndsl.cli.shared.reading import complete, network_options
from cnndsl.cli.shared.sides import Side, read_sides, side_options
from cnndsl.cli.shared.timing import latency_options, refuse_lone_target, timer
from cnndsl.cli.shared.voice import note, say
from cnndsl.cli.shared.writing import refuse_name

if TYPE_CHECKING:
    from cnndsl.analyses.differences.difference import Timer
    from cnndsl.analyses.differences.several import Compared

ENDINGS = {"text": (".txt", ".diff"), "md": (".md",), "json": (".json",), "html": (".html", ".htm")}
"""Names of files that each format is written to."""


@click.command("diff")
@click.argument("sources", metavar="OLD NEW", nargs=-1, shell_complete=complete)
@click.option(
    "--format", type=click.Choice([*ENDINGS]), help="How it is told.  [default: as the ending of -o says, else text]"
)
@click.option("-o", "--output", type=click.Path(path_type=Path), help="A file to write to, instead of stdout.")
@click.option("--exit-code", is_flag=True, help="Leave with 1 where they differ, as `git diff` does.")
@click.option("--all-models", is_flag=True, help="Compare every model of two files, by its name.")
@click.option("--git-driver", is_flag=True, help="Take git's arguments; see `git help gitattributes`.")
@latency_options
@side_options
@network_options
@click.pass_context
def command(
    context: click.Context,
    sources: tuple[str, ...],
    format: str | None,
    output: Path | None,
    exit_code: bool,
    all_models: bool,
    git_driver: bool,
    latency: bool,
    target: str | None,
    old_parameters: Mapping[str, str],
    new_parameters: Mapping[str, str],
    old_input: Mapping[str, str],
    new_input: Mapping[str, str],
    parameters: Mapping[str, str],
    inputs: Mapping[str, str],
) -> None:
    """Tell what changed between two networks: layers, weights, figures.

    OLD and NEW are files, built-in networks or networks from elsewhere. OLD may be a revision of NEW's git repository, as
    in `cnndsl diff HEAD~1 net.cnn`, and either may be REVISION:FILE.
    """
    if git_driver:
        from cnndsl.cli.shared.git_driver import drive

        drive(context, sources)
        return
    refuse_lone_target(context, target, latency=latency)
    if len(sources) != 2:
        raise click.UsageError(f"expected two networks, OLD and NEW, found {len(sources)}", context)
    old, new = sources
    if old == new == "-":
        raise click.UsageError("only one of the two can come from standard input", context)
    format = format or next((f for f, endings in ENDINGS.items() if output and output.suffix in endings), "text")
    for file in sources:
        refuse_name(context, output, file, ENDINGS[format], f"a comparison as {format}")
    sides = read_sides(
        old,
        new,
        ({**parameters, **old_parameters}, {**parameters, **new_parameters}),
        ({**inputs, **old_input}, {**inputs, **new_input}),
    )
    compared = _compared(context, sides, timer(target) if latency else None, all_models=all_models)
    text = _text(compared, format, one=not all_models)
    if output is None or str(output) == "-":
        say(text)
    else:
        from cnndsl.disk.files import write_atomically

        write_atomically(output, text if text.endswith("\n") else f"{text}\n")
        note(f"wrote {output}")
    if exit_code and not compared.equal:
        context.exit(WRONG_PROGRAM)


def _compared(context: click.Context, sides: tuple[Side, Side], timer: Timer | None, *, all_models: bool) -> Compared:
    from cnndsl.analyses.differences.several import Compared

    old, new = sides
    if not all_models:
        return Compared.of({"": old.graph()}, {"": new.graph()}, timer)
    names = old.models(), new.models()
    if names[0] is None or names[1] is None:
        raise click.UsageError("--all-models takes two programs", context)
    olds, news = ({name: side.graph(name) for name in of} for side, of in zip(sides, names, strict=True) if of)
    return Compared.of(olds, news, timer)


def _text(compared: Compared, format: str, *, one: bool) -> str:
    if format == "html":
        from cnndsl.webpage.comparison import comparison_page

        return comparison_page(compared)
    if format == "json":
        return compared.differences[0].to_json(indent=1) if one else compared.to_json(indent=1)
    return compared.to_markdown() if format == "md" else str(compared)
