"""Statements, and the program they make up."""

from __future__ import annotations

from cnndsl.diagnostics.source import Source, Span
from cnndsl.syntax.tree.chains import Chain, Invocation, Pick, This
from cnndsl.syntax.tree.node import Node, Record, field
from cnndsl.syntax.tree.values import Argument, Value


class Input(Node):
    name: str | None
    name_span: Span | None = field(compare=False)
    tokens: bool
    dimensions: tuple[Value, ...]
    dtype: str | None
    dtype_span: Span | None = field(compare=False)


class Departure(Node):
    """One tensor that leaves, perhaps only if."""

    tensor: Invocation | Pick | This
    condition: Value | None


class Output(Node):
    departures: tuple[Departure, ...]


class Param(Node):
    name: str
    name_span: Span = field(compare=False)
    type: str | None
    """None where it is the type of the default."""
    type_span: Span | None = field(compare=False)
    value: Value | None


class Let(Node):
    name: str
    name_span: Span = field(compare=False)
    value: Value


class Function(Node):
    """`fn name(parameters) = value`."""

    name: str
    name_span: Span = field(compare=False)
    parameters: tuple[Parameter, ...]
    value: Value


class Preset(Node):
    """One layer's or block's default arguments."""

    name: str
    name_span: Span = field(compare=False)
    arguments: tuple[Argument, ...]


class Default(Node):
    presets: tuple[Preset, ...]


class Parameter(Node):
    name: str
    default: Value | None


class Block(Node):
    name: str
    name_span: Span = field(compare=False)
    parameters: tuple[Parameter, ...] | None
    takes: tuple[str, ...]
    take_spans: tuple[Span, ...] = field(compare=False)
    gathers: bool
    """Whether the last name of `takes` is a tuple of all tensors that the others leave."""
    body: tuple[Statement, ...]


class Model(Node):
    name: str
    name_span: Span = field(compare=False)
    parameters: tuple[Parameter, ...] | None
    body: tuple[Statement, ...]


class Variant(Node):
    """`model name = base(arguments)`."""

    name: str
    name_span: Span = field(compare=False)
    base: str
    base_span: Span = field(compare=False)
    arguments: tuple[Argument, ...] | None


class Bind(Node):
    """`name = chain` or `(a, b) = chain`."""

    names: tuple[str, ...]
    name_spans: tuple[Span, ...] = field(compare=False)
    together: bool
    chain: Chain


class Share(Node):
    name: str
    name_span: Span = field(compare=False)
    chain: Chain


class Imported(Node):
    name: str
    name_span: Span = field(compare=False)
    alias: str | None
    alias_span: Span | None = field(compare=False)


class Use(Node):
    imported: tuple[Imported, ...]
    origin: str
    origin_span: Span = field(compare=False)
    is_file: bool


class Assert(Node):
    value: Value


class ChainStatement(Node):
    chain: Chain


Statement = (
    Input
    | Output
    | Param
    | Let
    | Function
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


class Comment(Record):
    """A comment with its `#`; comments are no part of what a program says."""

    span: Span = field(compare=False)
    text: str


class Program(Record):
    source: Source = field(compare=False)
    statements: tuple[Statement, ...]
    comments: tuple[Comment, ...] = field(compare=False)
