"""Arithmetic of the language: exact integers, IEEE doubles, equality of values."""

from __future__ import annotations

import math
from typing import Any

from cnndsl.errors import Refusal
from cnndsl.passes.wording import fail
from cnndsl.source import Span


def arithmetic(symbol: str, a: Any, b: Any, operand: Span) -> Any:
    """`a symbol b` for numbers; `operand` is where b stands. Raises `division-by-zero`, `value-too-large`."""
    if symbol in ("/", "//", "%") and b == 0:
        raise fail("division-by-zero", f"{a} is divided by zero", operand, "this is 0", help="divide by something else")
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
