"""The signature of a generated class: its arguments, and how each instance of it is called."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from cnndsl.backends.pytorch.expression import Call, Expression, LayerClass, Literal, Name

NUM_CLASSES = Name("num_classes")
"""The number of classes that a classifier tells apart: an argument of the network, and of the classes in between."""


@dataclass(frozen=True)
class Instance:
    """One use of a class: the constants of its constructor in order, None for those of its `missing` submodules."""

    constants: tuple[Literal | None, ...]
    missing: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Argument:
    """An argument of a generated class, with its value for each instance."""

    name: str
    values: tuple[Literal, ...] | tuple[Name, ...]
    """For each instance a constant; or the name of an argument of the class that makes the instance."""
    default: Literal | None = None

    @property
    def annotation(self) -> str:
        if self.name == NUM_CLASSES.text:
            return "int"
        return " | ".join({_annotation(v.value): None for v in self.values if isinstance(v, Literal)})


def _annotation(value: object) -> str:
    if isinstance(value, LayerClass):
        return "type[nn.Module]"
    if isinstance(value, tuple | list):
        inside = " | ".join({_annotation(item): None for item in value})
        return f"tuple[{inside}, ...]" if isinstance(value, tuple) else f"list[{inside}]"
    return "None" if value is None else type(value).__name__


@dataclass(frozen=True)
class Signature:
    """A class's arguments in order, and what stands for each of the template's constants."""

    arguments: tuple[Argument, ...]
    constants: tuple[Expression, ...]
    conditions: Mapping[str, Expression] = field(default_factory=dict)
    """When a submodule that some instances lack is made: a flag, or a condition on the other arguments."""

    def call(self, function: str, instance: int) -> Call:
        """The expression that makes one of the instances."""
        given = tuple((a.name, a.values[instance]) for a in self.arguments)
        required = sum(a.default is None for a in self.arguments)
        defaults = tuple((a.name, a.default) for a in self.arguments if a.default is not None)
        return Call(Name(function), given, positional=required if required <= 3 else 1, defaults=defaults)
