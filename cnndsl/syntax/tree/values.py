"""Values: numbers, texts, names, and what is worked out of them."""

from __future__ import annotations

from dataclasses import dataclass, field

from cnndsl.source import Span
from cnndsl.syntax.tree.node import Node


@dataclass(frozen=True, slots=True)
class Number(Node):
    value: int | float
    text: str = field(compare=False)


@dataclass(frozen=True, slots=True)
class Text(Node):
    value: str


@dataclass(frozen=True, slots=True)
class Constant(Node):
    """`true`, `false` or `none`."""

    value: bool | None


@dataclass(frozen=True, slots=True)
class Name(Node):
    """A name, or one of `in`, `id`, `output`."""

    name: str


@dataclass(frozen=True, slots=True)
class Attribute(Node):
    of: Value
    name: str
    name_span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Index(Node):
    of: Value
    index: Value


@dataclass(frozen=True, slots=True)
class Argument(Node):
    name: str | None
    value: Value


@dataclass(frozen=True, slots=True)
class Call(Node):
    """A function's call, or a layer or block with arguments, as a value."""

    name: str
    name_span: Span = field(compare=False, repr=False)
    arguments: tuple[Argument, ...]


@dataclass(frozen=True, slots=True)
class Unary(Node):
    """`-x` or `not x`."""

    operator: str
    operand: Value


@dataclass(frozen=True, slots=True)
class Operation(Node):
    """Operands of one level of precedence from left to right: arithmetic, comparisons, `and`, `or`."""

    first: Value
    rest: tuple[tuple[str, Value], ...]


@dataclass(frozen=True, slots=True)
class Choice(Node):
    """`then if condition else otherwise`."""

    then: Value
    condition: Value
    otherwise: Value


@dataclass(frozen=True, slots=True)
class Range(Node):
    """`first..last`, both ends."""

    first: Value
    last: Value


@dataclass(frozen=True, slots=True)
class Parenthesised(Node):
    value: Value


@dataclass(frozen=True, slots=True)
class TupleValue(Node):
    items: tuple[Value, ...]


@dataclass(frozen=True, slots=True)
class ListValue(Node):
    items: tuple[Value, ...]


@dataclass(frozen=True, slots=True)
class Targets(Node):
    """The names of a `for`: a name, or names in parentheses, for each part of a value."""

    names: tuple[str | Targets, ...]


@dataclass(frozen=True, slots=True)
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
