"""What every verb that reads a network shares: FILE, `-P` and `--input`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.shell_completion import CompletionItem

from cnndsl.cli.shared.outcome import WRONG_PROGRAM
from cnndsl.cli.shared.voice import note, report
from cnndsl.disk.files import is_file

if TYPE_CHECKING:
    from cnndsl.importing.imported import Imported
    from cnndsl.pipeline import Loaded

Command = Callable[..., Any]


def complete(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """The built-in networks and files that a shell offers."""
    from cnndsl.disk.shelf import architectures

    names = [CompletionItem(name) for name in architectures() if name.startswith(incomplete)]
    return [*names, CompletionItem(incomplete, type="file")]


def read_pairs(context: click.Context, parameter: click.Parameter, values: tuple[str, ...]) -> dict[str, str]:
    """Callback of options that are `name=value`."""
    pairs: dict[str, str] = {}
    for value in values:
        name, equals, text = value.partition("=")
        if not equals or not name.isidentifier():
            raise click.BadParameter(f"expected name=value, found {value!r}", context, parameter)
        pairs[name] = text
    return pairs


def read_sizes(context: click.Context, parameter: click.Parameter, values: tuple[str, ...]) -> dict[str, str]:
    """Callback of options that are `3x192x192` or `clip=3x16x112x112`."""
    return {
        name if equals else "": shape if equals else name for name, equals, shape in (v.partition("=") for v in values)
    }


def file_argument(command: Command) -> Command:
    """FILE: a path, `-`, or a built-in architecture."""
    return click.argument("file", metavar="FILE", shell_complete=complete)(command)


def files_argument(command: Command) -> Command:
    """FILE…, at least one."""
    return click.argument("files", metavar="FILE…", nargs=-1, required=True, shell_complete=complete)(command)


def network_options(command: Command) -> Command:
    """`-P name=value` and `--input 3x192x192`, as dicts of text by name ("" for the first input)."""
    parameter = click.option(
        "-P",
        "parameters",
        multiple=True,
        metavar="NAME=VALUE",
        callback=read_pairs,
        help="Set a parameter of the network.",
    )
    size = click.option(
        "--input",
        "inputs",
        multiple=True,
        metavar="SHAPE",
        callback=read_sizes,
        help="Another input size: 3x192x192, or clip=3x16x112x112.",
    )
    return parameter(size(command))


def is_foreign(file: str) -> bool:
    """Whether FILE is a network from elsewhere: `model.onnx`, `program.pt2`, `timm:NAME`, `torchvision:NAME`."""
    named = ":" in file and file.partition(":")[0] in ("timm", "torchvision")
    return named or file.lower().endswith((".onnx", ".pt2"))


def read_source(
    file: str, parameters: Mapping[str, str], inputs: Mapping[str, str], *, numbers: bool = True
) -> Imported:
    """A network from elsewhere, imported and proved; without `numbers`, a library's has no weights. Raises `CnnError`."""
    from cnndsl.cli.shared.voice import step
    from cnndsl.importing.sources import import_source

    with step(f"importing {file}"):
        return import_source(file, parameters, inputs, numbers=numbers)


def read_network(
    file: str, parameters: Mapping[str, str], inputs: Mapping[str, str], *, over_budget: bool = False
) -> Loaded:
    """The network, its warnings shown on stderr. With `over_budget`, one whose asserts do not hold is one all the same: its
    figures tell what to change. Raises `CnnError`."""
    from cnndsl.pipeline import Loaded, load

    if is_foreign(file):
        return Loaded(read_source(file, parameters, inputs, numbers=False).graph, ())
    loaded = load(file, parameters, inputs, over_budget=over_budget)
    report([*loaded.warnings, *loaded.broken])
    _say_which(file, loaded.graph.name)
    return loaded


def _say_which(file: str, name: str) -> None:
    """Says which network of a built-in family was taken, where only the family was named."""
    if name == file or not file.isidentifier() or is_file(file):
        return
    from cnndsl.disk import shelf

    others = [other for other in shelf.architectures() if other != name and _family(other) == file]
    if others:
        shown = ", ".join(others[:6]) + (" …" if len(others) > 6 else "")
        note(f"`{file}` is a family of {len(others) + 1} networks, and this is `{name}`; the others are {shown}")


def _family(name: str) -> str:
    from cnndsl.disk import shelf

    source = shelf.architecture(name)
    return Path(source.name).stem if source else ""


def leave_over_budget(context: click.Context, loaded: Loaded) -> None:
    """Ends the verb with the exit code of a wrong program where asserts do not hold."""
    if loaded.broken:
        context.exit(WRONG_PROGRAM)
