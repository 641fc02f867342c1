"""Arithmetic of the language: exact integers, IEEE doubles, equality of values."""

from __future__ import annotations

import math
from collections.abc import Callable
from operator import ge, gt, le, lt
from typing import Any

from cnndsl.diagnostics.errors import Refusal, fault
from cnndsl.diagnostics.source import Span
from cnndsl.passes.values.functions import MOST_ITEMS, limited, too_long
from cnndsl.passes.values.kinds import kind
from cnndsl.syntax import tree


def arithmetic(symbol: str, a: Any, b: Any, operand: Span) -> Any:
    """`a symbol b` for numbers; `operand` is where b stands. Raises `division-by-zero`, `value-too-large`."""
    if symbol in ("/", "//", "%") and b == 0:
        raise fault(
            "division-by-zero", f"{a} is divided by zero", operand, "this is 0", help="divide by something else"
        )
    try:
        match symbol:
            case "+":
                return a + b
            case "-":
                return a - b
            case "×":
                return a * b
            case "/":
                return a // b if isinstance(a, int) and isinstance(b, int) and a % b == 0 else a / b
            case "//":
                return a // b
            case "%":
                return a % b
            case _:
                return _power(a, b)
    except OverflowError:
        raise Refusal(
            "value-too-large", "the result is more than a double holds", help="work with smaller numbers"
        ) from None


def _power(a: Any, b: Any) -> Any:
    if isinstance(a, int) and isinstance(b, int) and b >= 0 and abs(a) > 1 and b * math.log2(abs(a)) > 130:
        raise Refusal("value-too-large", "the result is beyond 2^128", help="work with smaller numbers")
    if a == 0 and b < 0:
        raise Refusal("division-by-zero", "zero to a negative power")
    result = a**b
    if isinstance(result, complex):
        raise Refusal("out-of-range", f"{a} to the power {b} is no real number")
    return result


def same(a: Any, b: Any) -> bool:
    """Equality of values: `true` is no number, layers are equal with equal arguments, tensors with themselves."""
    if isinstance(a, bool) or isinstance(b, bool):
        return a is b
    if isinstance(a, list | tuple) and isinstance(b, list | tuple):
        return len(a) == len(b) and all(same(x, y) for x, y in zip(a, b, strict=True))
    return bool(a == b)


def operand(value: tree.Value, found: Any) -> Any:
    """The number that an expression turned out to be. Raises `wrong-type`."""
    if isinstance(found, bool) or not isinstance(found, int | float):
        raise fault(
            "wrong-type",
            f"expected a number, found {kind(found)}",
            value.span,
            help="arithmetic takes numbers; `+` also joins lists",
        )
    return found


def operation(value: tree.Operation, evaluate: Callable[[tree.Value], Any], truth: Callable[[tree.Value], bool]) -> Any:
    """Operands of one precedence from left to right; `evaluate` and `truth` work the operands out."""
    symbol = value.rest[0][0]
    if symbol in ("and", "or"):
        decides = symbol == "or"
        return (
            decides
            if any(truth(part) == decides for part in (value.first, *(p for _, p in value.rest)))
            else not decides
        )
    if symbol in _COMPARISONS:
        return _comparison(value, evaluate)
    left, at = evaluate(value.first), value.first
    for sign, part in value.rest:
        right = evaluate(part)
        if sign == "+" and isinstance(left, list) and isinstance(right, list):
            if len(left) + len(right) > MOST_ITEMS:
                raise too_long(len(left) + len(right))
            left = left + right
        else:
            left = limited(arithmetic(sign, operand(at, left), operand(part, right), part.span))
        at = part
    return left


_COMPARISONS = {"<": lt, ">": gt, "≤": le, "≥": ge, "==": None, "≠": None}


def _comparison(value: tree.Operation, evaluate: Callable[[tree.Value], Any]) -> bool:
    left, at = evaluate(value.first), value.first
    for symbol, part in value.rest:
        right = evaluate(part)
        order = _COMPARISONS[symbol]
        holds = (
            same(left, right) == (symbol == "==") if order is None else order(operand(at, left), operand(part, right))
        )
        if not holds:
            return False
        left, at = right, part
    return True
