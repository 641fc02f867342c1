"""The two networks that `diff` compares: each a file, a built-in name, a network from elsewhere, or a file of a revision."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import click

from cnndsl.cli.shared.reading import is_foreign, read_network
from cnndsl.cli.shared.voice import report
from cnndsl.diagnostics.errors import CnnError
from cnndsl.disk.files import exists, is_file

if TYPE_CHECKING:
    from cnndsl.ir.graph import Graph
    from cnndsl.passes.read_program import Origin

Command = Callable[..., Any]


@dataclass(frozen=True)
class Side:
    """A network that can be read, with its values from outside; `origin` is None for one that is no program."""

    file: str
    origin: Origin | None
    parameters: Mapping[str, str]
    inputs: Mapping[str, str]

    def graph(self, model: str | None = None) -> Graph:
        """The network, or that model of it. Asserts that do not hold are told on stderr, and no more. Raises `CnnError`."""
        if self.origin is None:
            return read_network(self.file, self.parameters, self.inputs, over_budget=True).graph
        from cnndsl.pipeline import load_origin

        origin = self.origin if model is None else replace(self.origin, model=model)
        loaded = load_origin(origin, self.parameters, self.inputs, over_budget=True)
        report(loaded.broken)
        return loaded.graph

    def models(self) -> list[str] | None:
        """The models of the program that need no argument; None for what is no program. Raises `CnnError`."""
        from cnndsl.pipeline import models

        return None if self.origin is None else models(self.origin)


def side_options(command: Command) -> Command:
    """`--old-P`, `--new-P`, `--old-input`, `--new-input`: what only one of the two networks is given."""
    from cnndsl.cli.shared.reading import read_pairs, read_sizes

    for which in ("new", "old"):
        command = click.option(
            f"--{which}-input",
            multiple=True,
            metavar="SHAPE",
            callback=read_sizes,
            help=f"As --input, for {which.upper()}.",
        )(command)
        command = click.option(
            f"--{which}-P",
            f"{which}_parameters",
            multiple=True,
            metavar="NAME=VALUE",
            callback=read_pairs,
            help=f"As -P, for {which.upper()} alone.",
        )(command)
    return command


def read_sides(
    old: str, new: str, parameters: tuple[Mapping[str, str], ...], inputs: tuple[Mapping[str, str], ...]
) -> tuple[Side, Side]:
    """Both sides. An old one that is neither a file nor a network's name is a revision of the new one's repository.

    Raises `CnnError` and `MissingPart`."""
    second = _side(new, parameters[1], inputs[1])
    if not _is_revision(old):
        return _side(old, parameters[0], inputs[0]), second
    from cnndsl.passes.read_revision import read_revision

    if second.origin is None or second.origin.path is None:
        raise click.UsageError(f"{old} is neither a file nor a network, and {new} is no file to look for in a revision")
    try:
        return Side(new, read_revision(old, new), parameters[0], inputs[0]), second
    except CnnError as error:
        raise _told_as_network(old, error) from None


def _told_as_network(old: str, error: CnnError) -> CnnError:
    """The error of a revision that is not there, told as what else may have been meant."""
    from cnndsl.diagnostics.nearest import nearest
    from cnndsl.disk import shelf

    (found,) = error.diagnostics
    near = nearest(old, shelf.architectures())
    if found.id != "unknown-revision" or near is None:
        return error
    return CnnError([replace(found, help=f"did you mean the built-in network `{near}`?")])


def _side(file: str, parameters: Mapping[str, str], inputs: Mapping[str, str]) -> Side:
    if is_foreign(file) or (exists(file) and (not is_file(file) or file.endswith(".json"))):
        return Side(file, None, parameters, inputs)
    revision, colon, path = file.partition(":")
    if colon and not exists(file) and _names_program(path):
        from cnndsl.passes.read_revision import read_revision

        return Side(file, read_revision(revision, path, from_root=True), parameters, inputs)
    from cnndsl.passes.read_program import read_program

    return Side(file, read_program(file), parameters, inputs)


def _names_program(path: str) -> bool:
    """Whether a text is `net.cnn` or `net.cnn:small`."""
    return path.endswith(".cnn") or path.rpartition(":")[0].endswith(".cnn")


def _is_revision(name: str) -> bool:
    if name == "-" or is_foreign(name) or exists(name) or ".cnn" in name:
        return False
    from cnndsl.disk import shelf

    return shelf.architecture(name.partition(":")[0]) is None
