"""Python expressions as data, and objects that record what is done with them.

Ops are handed `recorder("nn")` in place of `torch.nn`: the same `to_torch` that makes a live module then leaves the
expression that would make it.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

from cnndsl.backends.pytorch.library import nn


class LayerClass(str):
    """A class of `torch.nn` as a constant: `nn.ReLU`."""

    __slots__ = ()

    def __repr__(self) -> str:
        return str(self)


@dataclass(frozen=True)
class Literal:
    """A constant: a number, text, None, a class of layers, or a tuple or list of them."""

    value: Any

    def __eq__(self, other: object) -> bool:
        # In Python True == 1 == 1.0, but a program's text tells them apart.
        return isinstance(other, Literal) and repr(self.value) == repr(other.value)

    def __hash__(self) -> int:
        return hash(repr(self.value))


@dataclass(frozen=True)
class Name:
    """A name that stands for itself: `torch`, `nn`, a class, an argument."""

    text: str


@dataclass(frozen=True)
class Value:
    """A tensor of the forward pass, by number."""

    number: int


@dataclass(frozen=True)
class Member:
    """A submodule or parameter, by its path from the module at hand."""

    path: tuple[str, ...]


@dataclass(frozen=True)
class Attribute:
    base: Expression
    name: str


@dataclass(frozen=True)
class Call:
    """A call. Arguments without a name come first. The first `positional` arguments are written without their names, and
    an argument that equals its default is not written at all."""

    function: Expression
    arguments: tuple[tuple[str | None, Expression], ...]
    positional: int = 0
    defaults: tuple[tuple[str, Expression], ...] = ()


@dataclass(frozen=True)
class Item:
    base: Expression
    key: Expression


@dataclass(frozen=True)
class Slice:
    parts: tuple[Expression, Expression, Expression]


@dataclass(frozen=True)
class Several:
    """A tuple or list that is not all constants; or a dict, its keys and values in turn."""

    kind: type
    items: tuple[Expression, ...]


@dataclass(frozen=True)
class Operation:
    """`left op right`; with one operand, `op right`."""

    operator: str
    operands: tuple[Expression, ...]


@dataclass(frozen=True)
class Repeated:
    """The same argument `count` times: `*(item for _ in range(count))`."""

    item: Expression
    count: int


Expression = Literal | Name | Value | Member | Attribute | Call | Item | Slice | Several | Operation | Repeated


def children(expression: Expression) -> tuple[Expression, ...]:
    """The parts of an expression, in the order in which they are written."""
    match expression:
        case Attribute(base=base):
            return (base,)
        case Call():
            return (expression.function, *(value for _, value in expression.arguments))
        case Item():
            return (expression.base, expression.key)
        case Slice():
            return expression.parts
        case Several():
            return expression.items
        case Operation():
            return expression.operands
        case Repeated():
            return (expression.item,)
    return ()


def rebuilt(expression: Expression, change: Callable[[Expression], Expression]) -> Expression:
    """The expression with each of its direct parts changed."""
    match expression:
        case Attribute():
            return replace(expression, base=change(expression.base))
        case Call():
            function = change(expression.function)
            return replace(
                expression, function=function, arguments=tuple((n, change(v)) for n, v in expression.arguments)
            )
        case Item():
            return Item(change(expression.base), change(expression.key))
        case Slice():
            start, stop, step = map(change, expression.parts)
            return Slice((start, stop, step))
        case Several():
            return replace(expression, items=tuple(map(change, expression.items)))
        case Operation():
            return replace(expression, operands=tuple(map(change, expression.operands)))
        case Repeated():
            return replace(expression, item=change(expression.item))
    return expression


def everywhere(expression: Expression) -> Iterator[Expression]:
    """The expression and all parts of it, from the outside in."""
    yield expression
    for part in children(expression):
        yield from everywhere(part)


def substituted(expression: Expression, change: Callable[[Expression], Expression | None]) -> Expression:
    """The expression with some parts replaced. `change` gives what stands in the place of a part, or None to look inside it."""
    other = change(expression)
    return other if other is not None else rebuilt(expression, lambda part: substituted(part, change))


def recorder(name: str) -> Any:
    """An object of this name that records what is done with it; `recorded` gives the expression back."""
    return Recorder(Name(name))


def recorded(value: Any) -> Expression:
    """A value that an op has made of recorders, as an expression. Raises TypeError for one that no text can stand for."""
    if isinstance(value, Recorder):
        return value._expression
    if isinstance(value, slice):
        return Slice((recorded(value.start), recorded(value.stop), recorded(value.step)))
    if isinstance(value, tuple | list):
        items = tuple(map(recorded, value))
        if all(isinstance(item, Literal) for item in items):
            return Literal(value)
        return Several(type(value), items)
    if value is None or value is ... or isinstance(value, bool | int | float | str):
        return Literal(value)
    raise TypeError(f"{type(value).__name__} has no form in a program's text")


class Recorder:
    """Stands for a value that is not there yet: attributes, calls and arithmetic make longer expressions."""

    __slots__ = ("_expression",)
    __iter__ = None
    __hash__ = None  # type: ignore[assignment]

    def __init__(self, expression: Expression) -> None:
        self._expression = expression

    def __getattr__(self, name: str) -> Recorder:
        if name.startswith("__"):
            raise AttributeError(name)
        return Recorder(Attribute(self._expression, name))

    def __call__(self, *arguments: Any, **named: Any) -> Recorder:
        given: list[tuple[str | None, Expression]] = [(None, recorded(a)) for a in arguments]
        given += [(name, recorded(a)) for name, a in named.items()]
        return Recorder(complete(Call(self._expression, tuple(given))))

    def __getitem__(self, key: Any) -> Recorder:
        return Recorder(Item(self._expression, recorded(key)))

    def __neg__(self) -> Recorder:
        return Recorder(Operation("-", (self._expression,)))

    def __bool__(self) -> bool:
        raise TypeError("what a tensor holds is not known while a program is written")


def _binary(operator: str, *, swapped: bool) -> Callable[[Recorder, Any], Recorder]:
    def apply(self: Recorder, other: Any) -> Recorder:
        operands = (self._expression, recorded(other))
        return Recorder(Operation(operator, operands[::-1] if swapped else operands))

    return apply


_OPERATORS = {
    "add": "+",
    "sub": "-",
    "mul": "*",
    "truediv": "/",
    "floordiv": "//",
    "mod": "%",
    "matmul": "@",
    "pow": "**",
}
for _name, _operator in _OPERATORS.items():
    setattr(Recorder, f"__{_name}__", _binary(_operator, swapped=False))
    setattr(Recorder, f"__r{_name}__", _binary(_operator, swapped=True))
for _name, _operator in {"lt": "<", "le": "<=", "gt": ">", "ge": ">=", "eq": "==", "ne": "!="}.items():
    setattr(Recorder, f"__{_name}__", _binary(_operator, swapped=False))


def complete(call: Call) -> Call:
    """A call of one of `torch.nn`'s layers with all its arguments named and its defaults filled in. Calls that differ only
    in the defaults that they leave out are then equal."""
    if not isinstance(call.function, Attribute) or call.function.base != Name("nn"):
        return call
    parameters = _parameters(call.function.name)
    if parameters is None:
        return call
    names = [name for name, _ in parameters]
    positional = sum(name is None for name, _ in call.arguments)
    given = {name or names[i]: value for i, (name, value) in enumerate(call.arguments)}
    defaults = tuple((name, default) for name, default in parameters if default is not None)
    filled = dict(defaults) | given
    return Call(call.function, tuple((name, filled[name]) for name in names if name in filled), positional, defaults)


@cache
def _parameters(layer: str) -> list[tuple[str, Expression | None]] | None:
    """A layer's arguments with their defaults; None where it takes any number of them."""
    parameters: list[tuple[str, Expression | None]] = []
    for parameter in inspect.signature(getattr(nn, layer)).parameters.values():
        if parameter.kind not in (parameter.POSITIONAL_OR_KEYWORD, parameter.KEYWORD_ONLY):
            return None
        try:
            default = None if parameter.default is parameter.empty else recorded(parameter.default)
        except TypeError:
            return None
        parameters.append((parameter.name, default))
    return parameters
