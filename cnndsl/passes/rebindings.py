"""The warning for a name that is set again in the scope in which it is set already."""

from __future__ import annotations

from collections.abc import Iterator

from cnndsl.diagnostics.errors import Diagnostic, Label, Severity
from cnndsl.diagnostics.source import Span
from cnndsl.syntax import tree


def rebindings(
    statements: tuple[tree.Statement, ...], given: tuple[tuple[str, Span], ...] = ()
) -> Iterator[Diagnostic]:
    """The warnings for a body, in which the names `given` are set from outside, and for the bodies inside of it."""
    first: dict[str, Span] = {}
    for name, span in (*given, *_set(statements)):
        if name == "_":
            continue
        if name in first:
            yield Diagnostic(
                "rebinding",
                f"`{name}` is set again, and from here on is something else",
                (Label(span, "set again"), Label(first[name], "set first")),
                help="give it another name",
                severity=Severity.WARNING,
            )
        first.setdefault(name, span)
    for statement in statements:
        if isinstance(statement, tree.Block | tree.Model):
            yield from rebindings(statement.body, tuple(_given(statement)))


def _given(statement: tree.Block | tree.Model) -> Iterator[tuple[str, Span]]:
    for parameter in statement.parameters or ():
        yield parameter.name, parameter.span
    if isinstance(statement, tree.Block):
        yield from zip(statement.takes, statement.take_spans, strict=True)


def _set(statements: tuple[tree.Statement, ...]) -> Iterator[tuple[str, Span]]:
    """The names that statements set in the scope of their own body, in order."""
    for statement in statements:
        match statement:
            case tree.Let() | tree.Param() | tree.Share():
                yield statement.name, statement.name_span
            case tree.Input(name=str(name), name_span=Span() as span):
                yield name, span
        if isinstance(statement, tree.ChainStatement | tree.Bind):
            yield from _tapped(statement.chain)
        if isinstance(statement, tree.Bind):
            yield from zip(statement.names, statement.name_spans, strict=True)


def _tapped(chain: tree.Chain) -> Iterator[tuple[str, Span]]:
    """The names behind `as`, but for those of one round alone and for those that an `if` may leave out."""
    for element in chain.elements:
        if element.condition is not None:
            continue
        primary = element.primary
        if element.repeat is None:
            if isinstance(primary, tree.Group):
                yield from _tapped(primary.chain)
            elif isinstance(primary, tree.Merge) and primary.each is None:
                for branch in primary.branches:
                    if isinstance(branch, tree.Chain):
                        yield from _tapped(branch)
        if element.tap is not None and not element.tap.gathers:
            yield from zip(element.tap.names, element.tap.name_spans, strict=True)
