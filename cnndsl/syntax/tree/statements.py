"""Statements, and the program they make up."""

from __future__ import annotations

from dataclasses import dataclass, field

from cnndsl.source import Source, Span
from cnndsl.syntax.tree.chains import Chain, Invocation, Pick, This
from cnndsl.syntax.tree.node import Node
from cnndsl.syntax.tree.values import Argument, Value


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
    Input | Output | Param | Let | Default | Block | Model | Variant | Bind | Share | Use | Assert | ChainStatement
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
