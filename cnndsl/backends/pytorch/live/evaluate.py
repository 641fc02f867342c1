"""Recorded expressions as functions: what a `forward` runs is settled once, when the module is made.

A forward pass then neither asks ops for their windows again nor shows the tracers of PyTorch anything but tensors.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from typing import Any

from cnndsl.backends.pytorch.expression import (
    Attribute,
    Call,
    Expression,
    Item,
    Literal,
    Member,
    Name,
    Operation,
    Several,
    Slice,
    Value,
)
from cnndsl.backends.pytorch.library import nn, torch

Run = Callable[[Any, Sequence[Any]], Any]
"""From the node's module and the values it reads to its own value."""

_NAMES = {"torch": torch, "nn": nn}
_OPERATORS: dict[str, Callable[[Any, Any], Any]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
    "//": operator.floordiv,
    "%": operator.mod,
    "@": operator.matmul,
    "**": operator.pow,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "==": operator.eq,
    "!=": operator.ne,
}


def function(expression: Expression) -> Run:
    """The expression as a function. Raises TypeError for what no op records."""
    match expression:
        case Literal(value=constant):
            return lambda _module, _values: constant
        case Name(text=name):
            known = _NAMES[name]
            return lambda _module, _values: known
        case Value(number=number):
            return lambda _module, values: values[number]
        case Member(path=()):
            return lambda module, _values: module
        case Attribute(base=base, name=name):
            return _attribute(function(base), name)
        case Call():
            return _call(expression)
        case Item(base=base, key=key):
            return _two(operator.getitem, function(base), function(key))
        case Slice(parts=parts):
            return _gathered(lambda ends: slice(*ends), tuple(map(function, parts)))
        case Several(kind=kind, items=items):
            return _gathered(kind, tuple(map(function, items)))
        case Operation(operator="-", operands=(operand,)):
            return _gathered(lambda operands: -operands[0], (function(operand),))
        case Operation(operator=sign, operands=(left, right)):
            return _two(_OPERATORS[sign], function(left), function(right))
    raise TypeError(expression)


def _attribute(base: Run, name: str) -> Run:
    return lambda module, values: getattr(base(module, values), name)


def _two(apply: Callable[[Any, Any], Any], left: Run, right: Run) -> Run:
    return lambda module, values: apply(left(module, values), right(module, values))


def _gathered(kind: Callable[[list[Any]], Any], parts: tuple[Run, ...]) -> Run:
    return lambda module, values: kind([part(module, values) for part in parts])


def _call(call: Call) -> Run:
    if call == Call(Member(()), tuple((None, Value(index)) for index in range(len(call.arguments)))):
        return lambda module, values: module(*values)
    called = function(call.function)
    given = tuple(function(value) for name, value in call.arguments if name is None)
    named = tuple((name, function(value)) for name, value in call.arguments if name is not None)

    def run(module: Any, values: Sequence[Any]) -> Any:
        arguments = [part(module, values) for part in given]
        return called(module, values)(*arguments, **{name: part(module, values) for name, part in named})

    return run
