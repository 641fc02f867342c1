"""Functions that a program defines, `fn near(c, q=8) = …`: their parameters bound, their value worked out."""

from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import replace
from typing import Any

from cnndsl.diagnostics.errors import CnnError, Diagnostic, Label, fault
from cnndsl.diagnostics.nearest import nearest
from cnndsl.diagnostics.source import Span
from cnndsl.passes.values.layer_value import Given
from cnndsl.passes.values.place import Place
from cnndsl.passes.values.scope import Formula, Scope
from cnndsl.syntax import tree
from cnndsl.syntax.scan import MOST_DEPTH

Evaluate = Callable[[tree.Value, Place], Any]

_active: ContextVar[tuple[Formula, ...]] = ContextVar("_active", default=())
"""The functions that are being worked out, the innermost last."""


def worked_out(formula: Formula, given: tuple[Given, ...], call: Span, evaluate: Evaluate) -> Any:
    """The function's value for these arguments. Raises CnnError, with the call among its places."""
    node, active = formula.node, _active.get()
    if formula in active:
        raise fault(
            "recursive-function",
            f"the function `{node.name}` calls itself",
            call,
            "it is being worked out when this call is met",
            help="go through a list instead: `[… for x in xs]`, `sum`, `cumsum`",
        )
    formula.depth = formula.depth or _depth(node.value)
    if sum(outer.depth for outer in active) + formula.depth > MOST_DEPTH:
        raise fault(
            "too-deep",
            f"values nest deeper than {MOST_DEPTH}, functions included",
            call,
            help="give an inner part a name with `let`",
        )
    token = _active.set((*active, formula))
    try:
        scope = Scope(formula.scope, formula.scope.source)
        place = Place(scope, (), ())
        bound = _bound(node, given)
        for parameter in node.parameters:
            value = bound[parameter.name].value if parameter.name in bound else None
            if parameter.name not in bound:
                value = evaluate(_default(parameter, node, call), place)
            if parameter.name != "_":
                scope.names[parameter.name] = value
        return evaluate(node.value, place)
    except CnnError as error:
        raise CnnError(_called(diagnostic, call) for diagnostic in error.diagnostics) from None
    finally:
        _active.reset(token)


def _bound(node: tree.Function, given: tuple[Given, ...]) -> dict[str, Given]:
    """The arguments by the names of the parameters."""
    names = [parameter.name for parameter in node.parameters]
    usage = f"{node.name}({', '.join(names)})"
    found: dict[str, Given] = {}
    for position, argument in enumerate(given):
        if argument.name is None and position >= len(names):
            raise fault(
                "too-many-arguments",
                f"`{node.name}` takes {len(names)} argument{'' if len(names) == 1 else 's'}, found {len(given)}",
                argument.span,
                help=f"write `{usage}`",
            )
        name = names[position] if argument.name is None else argument.name
        if name not in names:
            close = nearest(name, names)
            raise fault(
                "unknown-argument",
                f"`{node.name}` has no argument `{name}`",
                argument.span,
                help=f"did you mean `{close}`?" if close else f"write `{usage}`",
            )
        if name in found and name != "_":
            labels = (Label(argument.span, "a second time"), Label(found[name].span, "first here"))
            message = f"`{name}` is given twice"
            raise CnnError([Diagnostic("repeated-argument", message, labels, help="leave one of them out")])
        found[name] = argument
    return found


def _default(parameter: tree.Parameter, node: tree.Function, call: Span) -> tree.Value:
    if parameter.default is None:
        raise fault(
            "missing-argument",
            f"`{node.name}` needs `{parameter.name}`",
            call,
            f"expected `{parameter.name}`, found no such argument",
            help=f"write `{node.name}({', '.join(p.name for p in node.parameters)})`",
        )
    return parameter.default


def _called(diagnostic: Diagnostic, call: Span) -> Diagnostic:
    """The diagnostic, with the call of the function in which it was met."""
    known = any(label.span == call for label in diagnostic.labels)
    return diagnostic if known else replace(diagnostic, labels=(*diagnostic.labels, Label(call, "in this call")))


def _depth(value: tree.Value) -> int:
    """How deep an expression nests: brackets, calls and operations within each other."""
    deepest = 0
    pending: list[tuple[Any, int]] = [(value, 1)]
    while pending:
        part, depth = pending.pop()
        if isinstance(part, tuple):
            pending += [(item, depth) for item in part]
        elif isinstance(part, tree.Node):
            deepest = max(deepest, depth)
            pending += [(getattr(part, name), depth + 1) for name in part.fields()[1:]]
    return deepest
