"""Expressions as Python text, laid out as `ruff format` would, 120 columns wide."""

from __future__ import annotations

import json
import keyword
import math
import re
import struct
from collections.abc import Callable, Collection
from itertools import count

from cnndsl.backends.pytorch.expression import (
    Attribute,
    Call,
    Expression,
    Item,
    LayerClass,
    Literal,
    Member,
    Name,
    Operation,
    Repeated,
    Several,
    Slice,
    Value,
)

WIDTH = 120
FLOAT32_MAX = 3.4028235e38

_PRECEDENCE = {
    "or": -1,
    "and": 0,
    "==": 1,
    "!=": 1,
    "<": 1,
    "<=": 1,
    ">": 1,
    ">=": 1,
    "+": 2,
    "-": 2,
    "*": 3,
    "/": 3,
    "//": 3,
    "%": 3,
    "@": 3,
    "**": 5,
}
_UNARY, _ATOM = 4, 9

Speak = Callable[[Value | Member], str]
"""How tensors and submodules are called at the place where an expression is written."""


def unspoken(part: Value | Member) -> str:
    """For expressions without tensors and submodules."""
    raise ValueError(f"{part} has no name here")


def text(expression: Expression, speak: Speak = unspoken) -> str:
    """The expression on one line."""
    return _text(expression, speak)[0]


def _text(expression: Expression, speak: Speak) -> tuple[str, int]:
    """The text, and how tightly it holds together."""
    match expression:
        case Literal(value=value):
            return literal(value), _UNARY if isinstance(value, int | float) and value < 0 else _ATOM
        case Name(text=name):
            return name, _ATOM
        case Value() | Member():
            return speak(expression), _ATOM
        case Attribute(base=base, name=name):
            path = f"{_held(base, _ATOM, speak)}.{name}"
            return re.sub(r"^torch\.nn\.", "nn.", path), _ATOM
        case Call(function=function):
            return (
                f"{_held(function, _ATOM, speak)}({', '.join(f'{n}{text(v, speak)}' for n, v in written(expression))})",
                _ATOM,
            )
        case Item(base=base, key=key):
            inside = text(key, speak)
            bare = isinstance(key, Several) and key.kind is tuple and len(key.items) > 1
            return f"{_held(base, _ATOM, speak)}[{inside[1:-1] if bare else inside}]", _ATOM
        case Slice(parts=(start, stop, step)):
            ends = ["" if part == Literal(None) else text(part, speak) for part in (start, stop, step)]
            return ":".join(ends if ends[2] else ends[:2]), _ATOM
        case Several(kind=kind, items=items):
            if kind is dict:
                return f"{{{', '.join(f'{key}{text(value, speak)}' for key, value in _pairs(expression))}}}", _ATOM
            inside = ", ".join(text(item, speak) for item in items)
            return (f"[{inside}]" if kind is list else f"({inside},)" if len(items) == 1 else f"({inside})"), _ATOM
        case Operation(operator=operator, operands=(operand,)):
            return f"{operator}{_held(operand, _UNARY, speak)}", _UNARY
        case Operation(operator=operator, operands=(left, right)):
            level = _PRECEDENCE[operator]
            power = operator == "**"
            return f"{_held(left, level + power, speak)} {operator} {_held(right, level + (not power), speak)}", level
        case Repeated(item=item, count=count):
            return f"*({text(item, speak)} for _ in range({count}))", _ATOM
    raise TypeError(expression)


def _pairs(expression: Several) -> list[tuple[str, Expression]]:
    """A dict's values, each with its key before it."""
    return [(f"{text(key)}: ", value) for key, value in zip(expression.items[::2], expression.items[1::2], strict=True)]


def _held(expression: Expression, level: int, speak: Speak) -> str:
    inside, own = _text(expression, speak)
    return inside if own >= level else f"({inside})"


def written(call: Call) -> list[tuple[str, Expression]]:
    """A call's arguments as they are written: what stands before each, and its value."""
    defaults = dict(call.defaults)
    kept = []
    for index, (name, value) in enumerate(call.arguments):
        if name is None or index < call.positional:
            kept.append(("", value))
        elif name not in defaults or defaults[name] != value:
            kept.append((f"{name}=", value))
    return kept


def literal(value: object) -> str:
    """A constant as Python text."""
    if isinstance(value, LayerClass):
        return str(value)
    if isinstance(value, str):
        return json.dumps(value)
    if isinstance(value, tuple):
        return f"({', '.join(map(literal, value))}{',' if len(value) == 1 else ''})"
    if isinstance(value, list):
        return f"[{', '.join(map(literal, value))}]"
    if value is ...:
        return "..."
    if isinstance(value, float) and (value != value or value in (float("inf"), float("-inf"))):
        return f'float("{value}")'
    if isinstance(value, float):
        value = _without_noise(value)
    return re.sub(r"e([+-])0(\d)", r"e\1\2", repr(value))


def _without_noise(value: float) -> float:
    """0.075 for 0.07500000000000001: the rounded decimal, where it differs by rounding noise that no float32 shows."""
    short = float(f"{value:.12g}")
    noise = abs(short - value) <= 4 * math.ulp(value) and abs(value) < FLOAT32_MAX
    return short if noise and struct.pack("f", short) == struct.pack("f", value) else value


def lines(before: str, expression: Expression, after: str, indent: int, speak: Speak = unspoken) -> list[str]:
    """`before`, the expression and `after` on one line, or broken at the outermost brackets where that is too long."""
    pad = " " * indent
    whole = f"{pad}{before}{text(expression, speak)}{after}"
    if len(whole) <= WIDTH:
        return [whole]
    if isinstance(expression, Repeated):
        flat = f"{pad}    {text(expression.item, speak)} for _ in range({expression.count})"
        rounds = f"{pad}    for _ in range({expression.count})"
        inner = [flat] if len(flat) <= WIDTH else [*lines("", expression.item, "", indent + 4, speak), rounds]
        return [f"{pad}{before}*(", *inner, f"{pad}){after}"]
    opened = _opened(expression, speak)
    if opened is None:
        return [f"{pad}{before}(", f"{pad}    {text(expression, speak)}", f"{pad}){after}"]
    opening, closing, parts = opened
    flat = f"{pad}    {', '.join(f'{name}{text(part, speak)}' for name, part in parts)}"
    if len(flat) <= WIDTH and len(parts) > 0:
        return [f"{pad}{before}{opening}", flat, f"{pad}{closing}{after}"]
    inner = [line for name, part in parts for line in lines(name, part, ",", indent + 4, speak)]
    if len(parts) == 1 and not isinstance(parts[0][1], Literal | Name | Value | Member):
        inner = lines(parts[0][0], parts[0][1], "", indent + 4, speak)
    return [f"{pad}{before}{opening}", *inner, f"{pad}{closing}{after}"]


def _opened(expression: Expression, speak: Speak) -> tuple[str, str, list[tuple[str, Expression]]] | None:
    match expression:
        case Call(function=function) if expression.arguments:
            return f"{_held(function, _ATOM, speak)}(", ")", written(expression)
        case Several(kind=kind) if kind is dict:
            return "{", "}", _pairs(expression)
        case Several(kind=kind, items=items) if items:
            opening, closing = "[]" if kind is list else "()"
            return opening, closing, [("", item) for item in items]
    return None


_SPOKEN_FOR = {
    "self",
    "torch",
    "nn",
    "Tensor",
    "OrderedDict",
    "super",
    "range",
    "print",
    "tuple",
    "int",
    "float",
    "bool",
    "str",
    "dict",
    "list",
}


def identifier(name: str) -> str:
    """A name as close as Python allows: for local names and arguments, which no state dict shows."""
    name = re.sub(r"\W", "_", name, flags=re.ASCII)
    if not name or name[0].isdigit():
        name = f"_{name}"
    return f"{name}_" if keyword.iskeyword(name) or name in _SPOKEN_FOR else name


def is_identifier(name: str) -> bool:
    return name.isidentifier() and not keyword.iskeyword(name)


def class_name(title: str) -> str:
    """`wide_resnet50_2` as `WideResnet50_2`, `Bottleneck` as it is."""
    parts = [part for part in re.split(r"[^A-Za-z0-9]+", title) if part]
    joined = ""
    for part in parts:
        joined += f"_{part}" if joined and joined[-1].isdigit() and part[0].isdigit() else part[0].upper() + part[1:]
    return identifier(f"Net{joined}" if not joined or joined[0].isdigit() else joined)


def unused(wanted: str, taken: Collection[str]) -> str:
    """The wanted name, or the first of `wanted2`, `wanted3`, … that is not taken."""
    stem = f"{wanted}_" if wanted[-1].isdigit() else wanted
    return wanted if wanted not in taken else next(n for i in count(2) if (n := f"{stem}{i}") not in taken)


def numbered(stem: str, taken: Collection[str]) -> str:
    """The first of `stem1`, `stem2`, … that is not taken."""
    return next(name for i in count(1) if (name := f"{stem}{i}") not in taken)
