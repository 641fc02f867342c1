"""Warnings that follow from the text alone: names nobody uses, defaults for nobody, an `if` that looks larger than it is."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from cnndsl.diagnostics.errors import Diagnostic, Label, Severity
from cnndsl.diagnostics.source import Span
from cnndsl.ir.op import find
from cnndsl.passes.library.library import is_one_model
from cnndsl.passes.rebindings import rebindings
from cnndsl.syntax import tree


def lint_text(program: tree.Program) -> list[Diagnostic]:
    """The warnings of one file. What a library offers to others counts as used."""
    library = not is_one_model(program) and not any(
        isinstance(s, tree.Model | tree.Variant) for s in program.statements
    )
    return [
        *_body(program.statements, library),
        *_misleading(program.statements),
        *rebindings(program.statements),
    ]


def _body(statements: tuple[tree.Statement, ...], library: bool) -> Iterator[Diagnostic]:
    said = set(_spoken(statements))
    for word, span, what in _declared(statements):
        exported = library and what in ("block", "function", "value", "parameter")
        if word not in said and word != "_" and not exported:
            yield _warning("unused-name", f"nothing uses the {what} `{word}`", span, "delete it, or use it")
    yield from _unused_defaults(statements)
    for statement in statements:
        if isinstance(statement, tree.Block | tree.Model):
            inner = set(_spoken(statement.body)) | set(_spoken(statement.parameters or ()))
            for parameter in statement.parameters or ():
                if parameter.name not in inner and parameter.name != "_":
                    yield _warning(
                        "unused-name",
                        f"nothing uses the parameter `{parameter.name}` of `{statement.name}`",
                        parameter.span,
                        "delete it, or use it",
                    )
            yield from _body(statement.body, library=False)


def _declared(statements: tuple[tree.Statement, ...]) -> Iterator[tuple[str, Span, str]]:
    """Names that statements set, and what they are."""
    for statement in statements:
        match statement:
            case tree.Let():
                yield statement.name, statement.name_span, "value"
            case tree.Param():
                yield statement.name, statement.name_span, "parameter"
            case tree.Share():
                yield statement.name, statement.name_span, "share"
            case tree.Block():
                yield statement.name, statement.name_span, "block"
            case tree.Function():
                yield statement.name, statement.name_span, "function"
            case tree.Use():
                for item in statement.imported:
                    yield item.alias or item.name, item.span, "block"
            case tree.Bind():
                for name, span in zip(statement.names, statement.name_spans, strict=True):
                    yield name, span, "tensor"
        if isinstance(statement, tree.Bind | tree.ChainStatement | tree.Share):
            for node in _nodes(statement.chain):
                if isinstance(node, tree.Tap):
                    for name, span in zip(node.names, node.name_spans, strict=True):
                        yield name, span, "tensor"


def _spoken(part: Any) -> Iterator[str]:
    """Every name that values, chains and outputs speak of."""
    for node in _nodes(part):
        if isinstance(node, tree.Name | tree.Call | tree.Invocation | tree.Pick | tree.Merge | tree.Preset):
            yield node.name
        elif isinstance(node, tree.Variant):
            yield node.base


def _nodes(part: Any) -> Iterator[Any]:
    pending = [part]
    while pending:
        node = pending.pop()
        if isinstance(node, tuple):
            pending.extend(node)
        elif isinstance(node, tree.Node):
            yield node
            pending.extend(getattr(node, name) for name in node.fields()[1:])


def _unused_defaults(statements: tuple[tree.Statement, ...]) -> Iterator[Diagnostic]:
    defaults = [statement for statement in statements if isinstance(statement, tree.Default)]
    if not defaults:
        return
    last: dict[str, int] = {}
    """Where each layer is written for the last time."""
    for node in _nodes(statements):
        if isinstance(node, tree.Name | tree.Call | tree.Invocation):
            word = _base(node.name)
            op = find(word)
            for reached in (word, op.follows if op is not None and op.follows else word):
                last[reached] = max(last.get(reached, 0), node.span.start)
    for statement in defaults:
        for preset in statement.presets:
            # A default holds from where it stands.
            if last.get(_base(preset.name), 0) < statement.span.end:
                yield _warning(
                    "unused-default",
                    f"no `{preset.name}` is written after this default",
                    preset.span,
                    "delete it; a default does not reach into blocks of other texts",
                )


def _base(word: str) -> str:
    if find(word) is not None:
        return word
    base = re.sub(r"[0-9]+(x[0-9]+)*$", "", word)
    return base if find(base) is not None else word


def _misleading(statements: tuple[tree.Statement, ...]) -> Iterator[Diagnostic]:
    for node in _nodes(statements):
        if isinstance(node, tree.Output):
            yield from _covered(node)
        if not isinstance(node, tree.Chain) or len(node.elements) < 2:
            continue
        for element in node.elements:
            condition = element.condition
            if (
                condition is not None
                and isinstance(condition.otherwise, tree.This)
                and condition.otherwise.name == "id"
            ):
                yield _warning(
                    "misleading-if",
                    "this `if … else id` chooses one element, not the chain before it",
                    condition.span,
                    "put brackets around what it chooses: `[A → B] if c else id`; for one element, leave `else id` out",
                )


def _covered(output: tree.Output) -> Iterator[Diagnostic]:
    """`output aux2, aux3 if training`: the `if` looks as if it were about both."""
    *before, last = output.departures
    free = [departure.tensor.span.text for departure in before if departure.condition is None]
    name = last.tensor.span.text
    alike = {re.sub(r"[0-9]+$", "", text) if len(text) > 1 else "" for text in (*free, name)}
    if last.condition is None or not free or (len(free) < 2 and len(alike) > 1):
        return
    condition = last.condition.span.text
    each = ", ".join(f"{text} if {condition}" for text in (*free, name))
    yield _warning(
        "misleading-if",
        f"this `if` is about `{name}` alone: {_and(free)} {'leaves' if len(free) == 1 else 'leave'} always",
        last.condition.span,
        f"if it is meant for all, write `output {each}`; else give `{name}` an `output` of its own",
    )


def _and(words: list[str]) -> str:
    quoted = [f"`{word}`" for word in words]
    return quoted[0] if len(quoted) == 1 else f"{', '.join(quoted[:-1])} and {quoted[-1]}"


def _warning(id: str, message: str, span: Span, help: str) -> Diagnostic:
    return Diagnostic(id, message, (Label(span),), help=help, severity=Severity.WARNING)
