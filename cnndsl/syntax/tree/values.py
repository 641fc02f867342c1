"""Values: numbers, texts, names, and what is worked out of them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from cnndsl.diagnostics.source import Span
from cnndsl.syntax.tree.node import Node, field


class Number(Node):
    value: int | float
    text: str = field(compare=False)


class Text(Node):
    value: str


class Constant(Node):
    """`true`, `false` or `none`."""

    value: bool | None


class Name(Node):
    """A name, or one of `in`, `id`, `output`."""

    name: str


class Attribute(Node):
    of: Value
    name: str
    name_span: Span = field(compare=False)


class Index(Node):
    of: Value
    index: Value


class Argument(Node):
    name: str | None
    value: Value


class Call(Node):
    """A function's call, or a layer or block with arguments, as a value."""

    name: str
    name_span: Span = field(compare=False)
    arguments: tuple[Argument, ...]


class Unary(Node):
    """`-x` or `not x`."""

    operator: str
    operand: Value


class Operation(Node):
    """Operands of one level of precedence from left to right: arithmetic, comparisons, `and`, `or`."""

    first: Value
    rest: tuple[tuple[str, Value], ...]


class Choice(Node):
    """`then if condition else otherwise`."""

    then: Value
    condition: Value
    otherwise: Value


class Range(Node):
    """`first..last`, both ends; without a last one, in an index, up to the end of the list."""

    first: Value
    last: Value | None


class Parenthesised(Node):
    value: Value


class TupleValue(Node):
    items: tuple[Value, ...]


class ListValue(Node):
    items: tuple[Value, ...]


class Targets(Node):
    """The names of a `for`: a name, or names in parentheses, for each part of a value."""

    names: tuple[str | Targets, ...]
    name_spans: tuple[Span, ...] = field(compare=False)


class Comprehension(Node):
    item: Value
    targets: Targets
    values: Value
    condition: Value | None


Value = (
    Number
    | Text
    | Constant
    | Name
    | Attribute
    | Index
    | Call
    | Unary
    | Operation
    | Choice
    | Range
    | Parenthesised
    | TupleValue
    | ListValue
    | Comprehension
)


def names_in(value: Any) -> Iterator[Name]:
    """The names that a value is worked out of, in the order in which they are written."""
    if isinstance(value, Name):
        yield value
    elif isinstance(value, tuple):
        for item in value:
            yield from names_in(item)
    elif isinstance(value, Node):
        for part in type(value).fields():
            if part != "span":
                yield from names_in(getattr(value, part))
