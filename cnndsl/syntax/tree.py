"""The tree a text becomes: what was written, where, and nothing of what it means.

Every node has a span. Trees compare equal when they say the same, wherever it stands.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from cnndsl.source import Source, Span


@dataclass(frozen=True, slots=True)
class Node:
    """A piece of the text."""

    span: Span = field(compare=False, repr=False)


# ---- values


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


# ---- chains


@dataclass(frozen=True, slots=True)
class Label(Node):
    """A label's parts in order: text, and values that name each round."""

    parts: tuple[str | Value, ...]

    @property
    def varies(self) -> bool:
        return any(not isinstance(part, str) for part in self.parts)


@dataclass(frozen=True, slots=True)
class Invocation(Node):
    """A layer, a block, a share, a tensor or a named value: which of them, only the meaning can tell."""

    name: str
    name_span: Span = field(compare=False, repr=False)
    arguments: tuple[Argument, ...] | None


@dataclass(frozen=True, slots=True)
class Pick(Node):
    """`parts[i]`: one of a tuple's tensors."""

    name: str
    index: Value


@dataclass(frozen=True, slots=True)
class This(Node):
    """`in` or `id`."""

    name: str


@dataclass(frozen=True, slots=True)
class Group(Node):
    chain: Chain


@dataclass(frozen=True, slots=True)
class Merge(Node):
    """`word(arguments){ branch | branch }`. With `each`, the one branch stands for many."""

    name: str
    name_span: Span = field(compare=False, repr=False)
    arguments: tuple[Argument, ...] | None
    branches: tuple[Chain, ...]
    each: Each | None


@dataclass(frozen=True, slots=True)
class Tensors(Node):
    """`(a, b)`: several tensors at once."""

    items: tuple[Invocation | Pick | This, ...]


Primary = Invocation | Pick | This | Group | Merge | Tensors


@dataclass(frozen=True, slots=True)
class Times(Node):
    """`×count`."""

    count: Value


@dataclass(frozen=True, slots=True)
class Each(Node):
    """`for targets in values`."""

    targets: Targets
    values: Value


@dataclass(frozen=True, slots=True)
class Condition(Node):
    """`if condition [else primary | else none]`; `nothing` says that `else none` was written."""

    value: Value
    otherwise: Primary | None
    nothing: bool


@dataclass(frozen=True, slots=True)
class Element(Node):
    label: Label | None
    primary: Primary
    repeat: Times | Each | None
    tap: str | None
    tap_span: Span | None = field(compare=False, repr=False)
    condition: Condition | None


@dataclass(frozen=True, slots=True)
class Chain(Node):
    elements: tuple[Element, ...]


# ---- statements


@dataclass(frozen=True, slots=True)
class Input(Node):
    name: str | None
    tokens: bool
    dimensions: tuple[Value, ...]
    dtype: str | None


@dataclass(frozen=True, slots=True)
class Departure(Node):
    """One tensor that leaves, perhaps only if."""

    tensor: Invocation | Pick | This
    condition: Value | None


@dataclass(frozen=True, slots=True)
class Output(Node):
    departures: tuple[Departure, ...]


@dataclass(frozen=True, slots=True)
class Param(Node):
    name: str
    name_span: Span = field(compare=False, repr=False)
    type: str
    type_span: Span = field(compare=False, repr=False)
    value: Value | None


@dataclass(frozen=True, slots=True)
class Let(Node):
    name: str
    name_span: Span = field(compare=False, repr=False)
    value: Value


@dataclass(frozen=True, slots=True)
class Preset(Node):
    """One layer's or block's default arguments."""

    name: str
    name_span: Span = field(compare=False, repr=False)
    arguments: tuple[Argument, ...]


@dataclass(frozen=True, slots=True)
class Default(Node):
    presets: tuple[Preset, ...]


@dataclass(frozen=True, slots=True)
class Parameter(Node):
    name: str
    default: Value | None


@dataclass(frozen=True, slots=True)
class Block(Node):
    name: str
    name_span: Span = field(compare=False, repr=False)
    parameters: tuple[Parameter, ...] | None
    takes: tuple[str, ...]
    body: tuple[Statement, ...]


@dataclass(frozen=True, slots=True)
class Model(Node):
    name: str
    name_span: Span = field(compare=False, repr=False)
    parameters: tuple[Parameter, ...] | None
    body: tuple[Statement, ...]


@dataclass(frozen=True, slots=True)
class Variant(Node):
    """`model name = base(arguments)`."""

    name: str
    name_span: Span = field(compare=False, repr=False)
    base: str
    base_span: Span = field(compare=False, repr=False)
    arguments: tuple[Argument, ...] | None


@dataclass(frozen=True, slots=True)
class Bind(Node):
    """`name = chain` or `(a, b) = chain`."""

    names: tuple[str, ...]
    name_spans: tuple[Span, ...] = field(compare=False, repr=False)
    together: bool
    chain: Chain


@dataclass(frozen=True, slots=True)
class Share(Node):
    name: str
    name_span: Span = field(compare=False, repr=False)
    chain: Chain


@dataclass(frozen=True, slots=True)
class Imported(Node):
    name: str
    alias: str | None


@dataclass(frozen=True, slots=True)
class Use(Node):
    imported: tuple[Imported, ...]
    origin: str
    origin_span: Span = field(compare=False, repr=False)
    is_file: bool


@dataclass(frozen=True, slots=True)
class Assert(Node):
    value: Value


@dataclass(frozen=True, slots=True)
class ChainStatement(Node):
    chain: Chain


Statement = (
    Input
    | Output
    | Param
    | Let
    | Default
    | Block
    | Model
    | Variant
    | Bind
    | Share
    | Use
    | Assert
    | ChainStatement
)


@dataclass(frozen=True, slots=True)
class Comment:
    """A comment with its `#`; comments are no part of what a program says."""

    span: Span = field(compare=False)
    text: str


@dataclass(frozen=True, slots=True)
class Program:
    source: Source = field(compare=False, repr=False)
    statements: tuple[Statement, ...]
    comments: tuple[Comment, ...] = field(compare=False, repr=False)
