"""The functions of the language: what each takes, and what it gives."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from cnndsl.diagnostics.errors import Refusal
from cnndsl.ir.written import show

MOST_ITEMS = 100_000
MOST_INTEGER = 2**128


@dataclass(frozen=True, slots=True)
class Function:
    """A function's name, how it is called, what it says of itself, and its work."""

    name: str
    usage: str
    doc: str
    least: int
    most: int
    work: Callable[..., Any]


def number(value: Any, what: str = "a number") -> int | float:
    """The value, if it is a number. Raises `wrong-type`."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise Refusal(
            "wrong-type", f"expected {what}, found {show(value) if _plain(value) else 'another kind of value'}"
        )
    return value


def integer(value: Any, what: str = "a whole number") -> int:
    """The value as an integer; a whole double is accepted. Raises `wrong-type`, `not-an-integer`."""
    found = number(value, what)
    if isinstance(found, float) and not found.is_integer():
        raise Refusal("not-an-integer", f"expected {what}, found {found}")
    return int(found)


def items(value: Any) -> list[Any]:
    """A list, range or tuple as a list. Raises `wrong-type`."""
    if isinstance(value, list | tuple):
        return list(value)
    raise Refusal("wrong-type", f"expected a list, found {show(value) if _plain(value) else 'another kind of value'}")


def limited(value: Any) -> Any:
    """The value within the limits of the language. Raises `value-too-large`."""
    if isinstance(value, float) and not math.isfinite(value):
        raise Refusal("value-too-large", "the result is more than a double holds", help="work with smaller numbers")
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) > MOST_INTEGER:
        raise Refusal("value-too-large", "the result is beyond 2^128", help="work with smaller numbers")
    if isinstance(value, list) and len(value) > MOST_ITEMS:
        raise too_long(len(value))
    return value


def too_long(count: int) -> Refusal:
    return Refusal(
        "value-too-large",
        f"a list of {count:,} items",
        notes=(f"expected at most {MOST_ITEMS:,}",),
        help="use a shorter list",
    )


def span_of_integers(first: int, last: int, step: int = 1) -> list[int]:
    """`first` up to, not including, `last`. Raises `value-too-large` before the list is made."""
    numbers = range(first, last, step)
    if last - first > 2**62 or len(numbers) > MOST_ITEMS:
        raise too_long(abs(last - first) // abs(step))
    return list(numbers)


def _plain(value: Any) -> bool:
    return value is None or isinstance(value, bool | int | float | str | list)


def _extreme(choose: Callable[..., Any]) -> Callable[..., Any]:
    def work(*values: Any) -> Any:
        candidates = items(values[0]) if len(values) == 1 else list(values)
        if not candidates:
            raise Refusal("wrong-type", "expected at least one number, found an empty list")
        return choose(number(v) for v in candidates)

    return work


def _absolute(x: Any) -> Any:
    return abs(number(x))


def _floor(x: Any) -> int:
    return math.floor(number(x))


def _ceil(x: Any) -> int:
    return math.ceil(number(x))


def _round(x: Any) -> int:
    return round(number(x))


def _sqrt(x: Any) -> float:
    value = number(x)
    if value < 0:
        raise Refusal("out-of-range", f"expected a number from 0, found {value}")
    return math.sqrt(value)


def _log(x: Any) -> float:
    value = number(x)
    if value <= 0:
        raise Refusal("out-of-range", f"expected a number above 0, found {value}")
    return math.log(value)


def _exp(x: Any) -> float:
    try:
        return math.exp(number(x))
    except OverflowError:
        raise Refusal("value-too-large", "the result is more than a double holds") from None


def _sum(values: Any) -> Any:
    return sum(number(v) for v in items(values))


def _len(values: Any) -> int:
    return len(values) if isinstance(values, str) else len(items(values))


def _range(*bounds: Any) -> list[int]:
    numbers = [integer(b) for b in bounds]
    first, last = (0, numbers[0]) if len(numbers) == 1 else (numbers[0], numbers[1])
    step = numbers[2] if len(numbers) == 3 else 1
    if step == 0:
        raise Refusal("out-of-range", "expected a step other than 0")
    return span_of_integers(first, last, step)


def _enumerate(values: Any, first: Any = 0) -> list[Any]:
    return list(enumerate(items(values), integer(first)))


def _parts(values: Any, lengths: Any) -> list[Any]:
    whole, counts = items(values), [integer(length) for length in items(lengths)]
    if min(counts, default=0) < 0 or sum(counts) != len(whole):
        raise Refusal(
            "out-of-range",
            f"a list of {len(whole)} cannot be cut into parts of {show(counts)}",
            notes=(f"expected lengths from 0 that add up to {len(whole)}, found {sum(counts)}",),
            help="give the length of each part",
        )
    ends = [sum(counts[: index + 1]) for index in range(len(counts))]
    return [whole[end - count : end] for count, end in zip(counts, ends, strict=True)]


def _sine(x: Any) -> float:
    return math.sin(number(x))


def _cosine(x: Any) -> float:
    return math.cos(number(x))


def _tangent(x: Any) -> float:
    return math.tan(number(x))


def _zip(*lists: Any) -> list[Any]:
    columns = [items(column) for column in lists]
    lengths = [len(column) for column in columns]
    if len(set(lengths)) > 1:
        raise Refusal("out-of-range", f"`zip` pairs lists of one length, found {', '.join(map(str, lengths))}")
    return list(zip(*columns, strict=True))


def _cumsum(values: Any) -> list[Any]:
    total: int | float = 0
    sums: list[int | float] = []
    for value in items(values):
        total += number(value)
        sums.append(total)
    return sums


def _linspace(first: Any, last: Any, count: Any) -> list[float]:
    start, stop, n = number(first), number(last), integer(count)
    if not 1 <= n <= MOST_ITEMS:
        raise Refusal("out-of-range", f"expected 1 to {MOST_ITEMS:,} numbers, found {n}")
    return [float(start)] if n == 1 else [start + (stop - start) * i / (n - 1) for i in range(n)]


def round_to(x: Any, q: Any) -> int:
    value, quantum = number(x), integer(q)
    if quantum < 1:
        raise Refusal("out-of-range", f"expected a quantum from 1, found {quantum}")
    n = max(quantum, math.floor((value + quantum / 2) // quantum * quantum))
    return n + quantum if n < 0.9 * value else n


CONSTANTS = {"pi": math.pi}
"""Numbers that have a name."""

FUNCTIONS = {
    f.name: f
    for f in (
        Function("min", "min(a, b, …) or min(list)", "the smallest number", 1, 64, _extreme(min)),
        Function("max", "max(a, b, …) or max(list)", "the largest number", 1, 64, _extreme(max)),
        Function("abs", "abs(x)", "the distance from zero", 1, 1, _absolute),
        Function("floor", "floor(x)", "the largest whole number not above x", 1, 1, _floor),
        Function("ceil", "ceil(x)", "the smallest whole number not below x", 1, 1, _ceil),
        Function("round", "round(x)", "the nearest whole number, halves to even", 1, 1, _round),
        Function("sqrt", "sqrt(x)", "the square root", 1, 1, _sqrt),
        Function("log", "log(x)", "the natural logarithm", 1, 1, _log),
        Function("exp", "exp(x)", "e to the power x", 1, 1, _exp),
        Function("sum", "sum(list)", "the sum of a list", 1, 1, _sum),
        Function("len", "len(list)", "the number of items", 1, 1, _len),
        Function(
            "range",
            "range(n) or range(first, end, step)",
            "whole numbers from 0 or first up to, not including, the end",
            1,
            3,
            _range,
        ),
        Function("sin", "sin(x)", "the sine of x in radians", 1, 1, _sine),
        Function("cos", "cos(x)", "the cosine of x in radians", 1, 1, _cosine),
        Function("tan", "tan(x)", "the tangent of x in radians", 1, 1, _tangent),
        Function(
            "enumerate",
            "enumerate(list) or enumerate(list, first)",
            "pairs of position, from 0 or first, and item",
            1,
            2,
            _enumerate,
        ),
        Function(
            "parts",
            "parts(list, lengths)",
            "the list cut into lists of these lengths, which add up to its own",
            2,
            2,
            _parts,
        ),
        Function("zip", "zip(a, b, …)", "the first items together, the second ones, and so on", 1, 64, _zip),
        Function("cumsum", "cumsum(list)", "the sums up to and with each item", 1, 1, _cumsum),
        Function(
            "linspace", "linspace(first, last, n)", "n numbers in equal steps, both ends included", 3, 3, _linspace
        ),
        Function(
            "round_to",
            "round_to(x, q)",
            "the mobile nets' rule: the multiple of q nearest to x, at least q, and not more than a tenth below x",
            2,
            2,
            round_to,
        ),
    )
}
