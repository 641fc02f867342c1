"""The Python front door of sweeps."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from cnndsl.analyses.budget import NAMES
from cnndsl.diagnostics.errors import CnnError, fault
from cnndsl.diagnostics.nearest import nearest
from cnndsl.passes.read_program import read_program
from cnndsl.pipeline import built_file
from cnndsl.pipeline import models as models_of
from cnndsl.sweeping.choices import sizes_of, values_of
from cnndsl.sweeping.conditions import Expression
from cnndsl.sweeping.program import Program
from cnndsl.sweeping.sweep import Sweep
from cnndsl.sweeping.variants import Grid

Size = str | tuple[int, ...]
Sizes = Size | Sequence[Size]


def sweep(
    file: str | Path,
    /,
    *,
    input: Sizes | Mapping[str, Sizes] | None = None,
    models: Sequence[str] | None = None,
    figures: str | Sequence[str] = "params, macs",
    where: str | None = None,
    jobs: int | None = None,
    into: str | Path | None = None,
    scheduler: str | None = None,
    **parameters: Any,
) -> Sweep:
    """Every combination of parameters, input sizes and models of a program, with its figures: an iterator of dicts, a row each.

    Keyword arguments are values for the program's parameters: one, several in a list, a range, or a text such as
    `"16..64:8"`. `input` is a size or several, by name where there are several inputs; `models` names models of the file, `["all"]` all
    that need no argument. `figures` are the names that `assert` knows, and `buffers`, `memory` and `training_memory` (bytes). Only rows
    for which `where` holds come (`"macs < 300M"`); what cannot be built is listed in `.refused`. On `jobs` processes, all cores by
    default, or on the workers of a Dask `scheduler`. With `into`, a file, rows that it holds are not built again. Raises `CnnError` and
    `MissingPart`.
    """
    _refuse_built(str(file))
    origin = read_program(str(file))
    named = models_of(origin) if models is not None and list(models) == ["all"] else models
    grid = Grid(
        tuple(named) if named is not None else (None,),
        {name: choices(name, value) for name, value in parameters.items()},
        {
            name: _sizes(name, size)
            for name, size in (input if isinstance(input, Mapping) else {"": input}).items()
            if size
        },
    )
    condition = Expression("where", where, tuple(grid.parameters)) if where else None
    names = [name.strip() for name in figures.split(",")] if isinstance(figures, str) else figures
    refuse_unknown(names)
    wanted = tuple(dict.fromkeys([*names, *(condition.figures if condition else ())]))
    return Sweep(Program.of(origin), grid, wanted, condition, jobs, Path(into) if into else None, scheduler)


def choices(name: str, value: Any) -> list[Any]:
    """The values that a parameter is given."""
    if isinstance(value, str):
        return list(values_of(name, value))
    if isinstance(value, Iterable):
        return list(value)
    return [value]


def refuse_unknown(figures: Iterable[str]) -> None:
    """Raises `CnnError` (unknown-name) for a figure that does not exist."""
    for name in figures:
        if name not in NAMES:
            raise unknown_figure(name)


def unknown_figure(name: str) -> CnnError:
    """The error of a figure that does not exist."""
    near = nearest(name, NAMES)
    return fault(
        "unknown-name",
        f"no figure is called `{name}`",
        notes=(f"expected one of {', '.join(NAMES)}",),
        help=f"did you mean `{near}`?" if near else "take one of these",
    )


def _refuse_built(file: str) -> None:
    """Raises `CnnError` (not-a-program) for what holds a network that has been built: there is nothing to vary."""
    if built_file(file) is not None:
        raise fault(
            "not-a-program",
            f"`{file}` holds one network, with its parameters settled",
            notes=("expected the text of a program",),
            help="give the program that it was built from",
        )


def _sizes(name: str, size: Any) -> list[str]:
    several = size if isinstance(size, list) or (isinstance(size, tuple) and not _is_size(size)) else [size]
    return [
        text for one in several for text in sizes_of(name, one if isinstance(one, str) else "x".join(map(str, one)))
    ]


def _is_size(value: tuple[Any, ...]) -> bool:
    return all(isinstance(number, int) for number in value)
