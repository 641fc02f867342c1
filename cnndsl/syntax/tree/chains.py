"""Chains: elements in a row, and the groups, merges and tuples they are made of."""

from __future__ import annotations

from cnndsl.diagnostics.source import Span
from cnndsl.syntax.tree.node import Node, field
from cnndsl.syntax.tree.values import Argument, Number, Targets, Unary, Value


class Label(Node):
    """A label's parts in order: text, and values that name each round."""

    parts: tuple[str | Value, ...]

    @property
    def varies(self) -> bool:
        return any(not isinstance(part, str) for part in self.parts)


class Invocation(Node):
    """A layer, a block, a share, a tensor or a named value: which of them, only the meaning can tell."""

    name: str
    name_span: Span = field(compare=False)
    arguments: tuple[Argument, ...] | None


class Pick(Node):
    """`parts[i]`: one of a tuple's tensors."""

    name: str
    index: Value


class This(Node):
    """`in` or `id`."""

    name: str


class Group(Node):
    chain: Chain


class Merge(Node):
    """`word(arguments){ branch | branch }`; a branch may be a number. With `each`, the one branch stands for many."""

    name: str
    name_span: Span = field(compare=False)
    arguments: tuple[Argument, ...] | None
    branches: tuple[Chain | Number | Unary, ...]
    each: Each | None


class Tensors(Node):
    """`(a, b)`: several tensors at once."""

    items: tuple[Invocation | Pick | This, ...]


class Collected(Node):
    """`(chain for names in values)`: the tensor that each round's chain leads to, as a tuple."""

    chain: Chain
    each: Each


Primary = Invocation | Pick | This | Group | Merge | Tensors | Collected


class Times(Node):
    """`×count`."""

    count: Value


class Each(Node):
    """`for targets in values`."""

    targets: Targets
    values: Value


class Condition(Node):
    """`if condition [else primary | else none]`; `nothing` says that `else none` was written."""

    value: Value
    otherwise: Primary | None
    nothing: bool


class Tap(Node):
    """`as name`, `as (a, b)` for the parts of a tuple, or `as name[]`, which gathers the tensors of all rounds."""

    names: tuple[str, ...]
    name_spans: tuple[Span, ...] = field(compare=False)
    together: bool
    gathers: bool


class Element(Node):
    label: Label | None
    primary: Primary
    repeat: Times | Each | None
    tap: Tap | None
    condition: Condition | None


class Chain(Node):
    elements: tuple[Element, ...]
