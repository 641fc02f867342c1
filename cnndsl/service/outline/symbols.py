"""The definitions of a text, those of bodies inside of them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from cnndsl.diagnostics.source import Span
from cnndsl.service.answers import Outline, Place
from cnndsl.syntax import tree

_Kind = Literal["block", "model", "function", "value", "parameter", "share", "tensor", "input"]


def symbols(program: tree.Program) -> tuple[Outline, ...]:
    """The definitions of a program in order; names that are holes are left out."""
    return tuple(_of(program.statements))


def _of(statements: tuple[tree.Statement, ...]) -> Iterator[Outline]:
    for statement in statements:
        match statement:
            case tree.Block() | tree.Model():
                kind: _Kind = "block" if isinstance(statement, tree.Block) else "model"
                names = ", ".join(p.name for p in statement.parameters or ())
                taken = (
                    f"takes {', '.join(statement.takes)}"
                    if isinstance(statement, tree.Block) and statement.takes
                    else ""
                )
                detail = " ".join(filter(None, (f"({names})" if names else "", taken)))
                yield from _one(statement.name, kind, detail, statement.span, statement.name_span, statement.body)
            case tree.Variant():
                yield from _one(statement.name, "model", f"= {statement.base}", statement.span, statement.name_span)
            case tree.Function():
                names = ", ".join(p.name for p in statement.parameters)
                yield from _one(statement.name, "function", f"({names})", statement.span, statement.name_span)
            case tree.Let():
                yield from _one(statement.name, "value", "", statement.span, statement.name_span)
            case tree.Param():
                yield from _one(statement.name, "parameter", statement.type or "", statement.span, statement.name_span)
            case tree.Share():
                yield from _one(statement.name, "share", "", statement.span, statement.name_span)
            case tree.Input():
                sizes = "×".join(" ".join(d.span.text.split()) for d in statement.dimensions)
                at = statement.name_span or statement.span
                yield from _one(statement.name or "input", "input", sizes, statement.span, at)
            case tree.Bind():
                for name, span in zip(statement.names, statement.name_spans, strict=True):
                    yield from _one(name, "tensor", "", statement.span, span)


def _one(
    name: str, kind: _Kind, detail: str, span: Span, name_span: Span, body: tuple[tree.Statement, ...] = ()
) -> Iterator[Outline]:
    if name:
        place, at = Place(span.start, span.end), Place(name_span.start, name_span.end)
        yield Outline(name, kind, detail, place, at, tuple(_of(body)))
