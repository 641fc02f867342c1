"""Budgets: what a program's `assert` statements demand, against the figures of its graph."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from cnndsl.diagnostics.errors import CnnError, Diagnostic, Label, fault
from cnndsl.diagnostics.source import Span
from cnndsl.ir.tensor import TensorType
from cnndsl.ir.written import in_time
from cnndsl.passes.draft.flow import LOST, Entrance, LostValue, Wire
from cnndsl.passes.values.evaluate import truth
from cnndsl.passes.values.kinds import kind
from cnndsl.passes.values.place import Place
from cnndsl.passes.values.scope import Scope
from cnndsl.syntax import tree
from cnndsl.syntax.tree import names_in


def check_asserts(
    asserts: tuple[tuple[tree.Assert, Place], ...], figures: Mapping[str, int | float | TensorType | None]
) -> list[Diagnostic]:
    """An `assert-failed` for every demand that does not hold; demands joined by `and` are told apart. A figure that the
    network does not have is None, and one that is a tensor's type can be asked for its sizes: `output.channels`."""
    failed: list[Diagnostic] = []
    for statement, end in asserts:
        asked = {name.name for name in names_in(statement.value)}
        # Working a figure out takes time. The names of the others are there for who mistypes one.
        try:
            values = {name: _value(name, figures[name], statement.span) if name in asked else LOST for name in figures}
        except CnnError as error:
            # A figure that cannot be told on this machine, such as the time of a network.
            label = Label(statement.span, "it cannot be said whether this holds")
            failed += [replace(d, labels=d.labels or (label,)) for d in error.diagnostics]
            continue
        place = replace(end, scope=Scope(end.scope, end.scope.source, values))
        for demand in _demands(statement.value):
            try:
                if not truth(demand, place):
                    failed.append(_failed(demand, place))
            except CnnError as error:
                failed += error.diagnostics
            except LostValue:
                failed += fault(
                    "assert-failed",
                    "the receptive field is not known: no map before the output has the input's axes",
                    demand.span,
                    "it cannot be said whether this holds",
                    help="demand something of another figure",
                ).diagnostics
    return failed


def _value(name: str, figure: int | float | TensorType | None, where: Span) -> Any:
    """A figure as a value of the language."""
    if isinstance(figure, TensorType):
        return Wire(figure, Entrance(name, where))
    return LOST if figure is None else figure


def _demands(value: tree.Value) -> Iterator[tree.Value]:
    if isinstance(value, tree.Operation) and value.rest[0][0] == "and":
        for part in (value.first, *(part for _, part in value.rest)):
            yield from _demands(part)
    else:
        yield value


def _failed(demand: tree.Value, place: Place) -> Diagnostic:
    mentioned = (name.name for name in names_in(demand))
    names = {name: place.scope.find(name) for name in mentioned if name in place.scope.visible()}
    facts = ", ".join(f"{name} is {_told(name, value)}" for name, value in names.items())
    text = " ".join(demand.span.text.split())
    return Diagnostic(
        "assert-failed",
        f"`{text}` does not hold",
        (Label(demand.span, f"found: {facts}" if facts else "it is false"),),
        help="change the network, or the budget",
    )


def _shown(value: Any) -> str:
    if isinstance(value, Wire):
        return str(value.type)
    return f"{value:,}" if isinstance(value, int | float) and not isinstance(value, bool) else kind(value)


def _told(name: str, value: Any) -> str:
    return in_time(value) if name == "latency" and isinstance(value, float) else _shown(value)
