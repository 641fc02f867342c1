"""What all nodes of the tree are: frozen records with a place."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, dataclass_transform

from cnndsl.diagnostics.source import Span


def field(*, compare: bool = True) -> Any:
    """A field of a node that may not count when trees are compared."""
    return compare


@dataclass_transform(eq_default=True, frozen_default=True, field_specifiers=(field,))
class NodeType(type):
    """Makes records of annotated classes. `dataclasses` does the same and compiles four functions for each of fifty
    classes, which is a tenth of the time in which `check` starts."""

    _fields: tuple[str, ...]
    _compared: tuple[str, ...]
    _setters: tuple[Callable[[Any, Any], None], ...]

    def __new__(cls, name: str, bases: tuple[type, ...], namespace: dict[str, Any]) -> NodeType:
        own = tuple(namespace.get("__annotations__", ()))
        ignored = {key for key in own if namespace.pop(key, True) is False}
        made = super().__new__(cls, name, bases, {**namespace, "__slots__": own})
        inherited = getattr(made, "_fields", ()), getattr(made, "_compared", ())
        made._fields = (*inherited[0], *own)
        # Slots set by their own descriptors: twice as fast as `object.__setattr__`, which looks each of them up.
        made._setters = tuple(getattr(made, key).__set__ for key in made._fields)
        made._compared = (*inherited[1], *(key for key in own if key not in ignored))
        return made


class Record(metaclass=NodeType):
    """A frozen record that compares by its fields."""

    def __init__(self, *values: Any) -> None:
        for assign, value in zip(type(self)._setters, values, strict=True):
            assign(self, value)

    def __setattr__(self, name: str, value: Any) -> None:
        raise AttributeError(f"a node is frozen: {name!r} cannot be set")

    def __eq__(self, other: object) -> bool:
        if type(other) is not type(self):
            return NotImplemented
        names = type(self)._compared
        # Whole lists, so that deep trees take few calls within calls.
        return [getattr(self, name) for name in names] == [getattr(other, name) for name in names]

    def __hash__(self) -> int:
        return hash(tuple(getattr(self, name) for name in type(self)._compared))

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(f'{n}={getattr(self, n)!r}' for n in type(self)._compared)})"

    @classmethod
    def fields(cls) -> tuple[str, ...]:
        """The names of the fields in order, the span first."""
        return cls._fields


class Node(Record):
    """A piece of the text."""

    span: Span = field(compare=False)
