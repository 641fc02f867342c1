"""One class in the making: what its constructor makes, what its `forward` runs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Literal as Among

from cnndsl.backends.pytorch.expression import (
    Call,
    Expression,
    LayerClass,
    Literal,
    Member,
    Name,
    Value,
    everywhere,
    rebuilt,
    substituted,
)

Base = Among["module", "list", "dict", "sequential", "ordered"]
"""What a class extends: `nn.Module`, `nn.ModuleList`, `nn.ModuleDict`, or `nn.Sequential` with parts by position or name."""


ACTIVATION = "activation_layer"
"""The argument for an activation: its class. Only activations are made by a call of a constant, see `layers`."""

Path = tuple[str, ...]
"""The names that lead from a module to a submodule."""


@dataclass(frozen=True)
class Made:
    """A submodule, parameter or buffer. `name` is its attribute; with weights also its part of a key in the state dict."""

    name: str
    expression: Expression
    scope: bool = False
    """Whether it is a scope of names, and not a single layer."""
    buffer: bool = False


@dataclass(frozen=True)
class Assignment:
    """One step of a `forward`: an expression over earlier values, and the values it gives."""

    expression: Expression
    results: tuple[int, ...]
    wraps: bool = False
    """Whether it is written around the step before it, as an activation is around its convolution."""
    training: bool = False


@dataclass(frozen=True)
class Template:
    """A class without its constants. Values are numbered: inputs first, then results in order.

    Two scopes whose templates have the same `key` are instances of one class.
    """

    title: str
    base: Base
    made: tuple[Made, ...]
    inputs: int
    steps: tuple[Assignment, ...]
    results: tuple[int, ...]
    optional: frozenset[str] = frozenset()
    """Submodules that are missing from some instances, where `nn.Identity` stands in for them."""

    tail: int = 0
    """So many of the last steps run only in some instances: the others give what the step before these gives."""
    flag: str = "adds"
    """The attribute that says whether the tail runs."""

    @property
    def only_in_tail(self) -> frozenset[str]:
        """Submodules that no step before the tail uses."""
        if not self.tail:
            return frozenset()
        before = {name for step in self.steps[: -self.tail] for name in used(step.expression)}
        within = {name for step in self.steps[-self.tail :] for name in used(step.expression)}
        return frozenset(within - before)

    @property
    def early_result(self) -> int | None:
        """The value that leaves where the tail does not run; None where there is no tail."""
        return self.steps[-self.tail - 1].results[0] if self.tail else None

    def shortened(self, tail: int) -> Template | None:
        """The same class without its last steps, and without the submodules that only these use."""
        if tail >= len(self.steps) or self.base != "module" or self.results != self.steps[-1].results:
            return None
        last = self.steps[-tail - 1]
        gone = replace(self, tail=tail).only_in_tail
        if len(last.results) != 1 or len(self.results) != 1 or any(step.training for step in self.steps):
            return None
        made = tuple(made for made in self.made if made.name not in gone)
        return replace(self, made=made, steps=self.steps[:-tail], results=last.results)

    @property
    def key(self) -> object:
        """All but the constants in the constructor."""
        return (
            self.title,
            self.base,
            tuple((m.name, skeleton(m.expression)) for m in self.made),
            self.inputs,
            self.steps,
            self.results,
        )

    @property
    def paths(self) -> list[Path]:
        """The paths of the submodules that the steps use, each once."""
        parts = [part for step in self.steps for part in everywhere(step.expression)]
        return list(dict.fromkeys(part.path for part in parts if isinstance(part, Member)))

    def constants(self) -> Iterator[tuple[str, str, Literal]]:
        """The constructor's constants in order, each with the submodule and the argument it stands for."""
        for made in self.made:
            yield from ((made.name, argument, constant) for argument, constant in named_constants(made.expression, ""))

    def without(self, name: str) -> Template | None:
        """The same class without a submodule that takes one value and gives one; None where `name` is no such submodule."""
        uses = [step for step in self.steps if any(reads(part, name) for part in everywhere(step.expression))]
        if len(uses) != 1 or len(uses[0].results) != 1:
            return None
        match uses[0].expression:
            case Call(function=Member(path=path), arguments=((None, Value(number=source)),)) if path == (name,):
                pass
            case _:
                return None
        gone = uses[0].results[0]
        numbers = {gone: source}

        def renumbered(part: Expression) -> Expression | None:
            return Value(numbers[part.number]) if isinstance(part, Value) and part.number in numbers else None

        steps, count = [], self.inputs
        for step in self.steps:
            if step is uses[0]:
                continue
            expression = substituted(step.expression, renumbered)
            results = tuple(range(count, count + len(step.results)))
            numbers |= dict(zip(step.results, results, strict=True))
            count += len(results)
            # The value before the submodule may have another number by now.
            numbers[gone] = numbers.get(source, source)
            steps.append(replace(step, expression=expression, results=results))
        left = tuple(numbers.get(number, number) for number in self.results)
        return replace(self, made=tuple(m for m in self.made if m.name != name), steps=tuple(steps), results=left)


def used(expression: Expression) -> set[str]:
    """The submodules that an expression names."""
    return {part.path[0] for part in everywhere(expression) if isinstance(part, Member) and part.path}


def reads(part: Expression, name: str) -> bool:
    return isinstance(part, Member) and part.path[0] == name


def skeleton(expression: Expression) -> Expression:
    """The expression with `...` in the place of every constant."""
    if isinstance(expression, Literal):
        return Literal(...)
    return rebuilt(expression, skeleton)


def named_constants(expression: Expression, argument: str) -> Iterator[tuple[str, Literal]]:
    """The constants of an expression in the order of `filled`, with the arguments they stand for."""
    if isinstance(expression, Literal):
        yield argument, expression
    elif isinstance(expression, Call):
        yield from named_constants(expression.function, ACTIVATION)
        for name, value in expression.arguments:
            yield from named_constants(value, name or argument)
    else:
        parts: list[Expression] = []
        rebuilt(expression, lambda part: parts.append(part) or part)  # type: ignore[func-returns-value]
        for part in parts:
            yield from named_constants(part, argument)


def filled(expression: Expression, values: Iterator[Expression]) -> Expression:
    """The expression with its constants replaced one after the other."""
    if isinstance(expression, Literal):
        return next(values)
    return rebuilt(expression, lambda part: filled(part, values))


NUM_CLASSES = Name("num_classes")
"""The number of classes that a classifier tells apart: an argument of the network, and of the classes in between."""


Told = Mapping[str, bool | int | float | str]
"""The parameters of the program's block, by name, with what they were in one call of it."""


@dataclass(frozen=True)
class Instance:
    """One use of a class: the constants of its constructor in order, None for those of its `missing` submodules."""

    constants: tuple[Literal | None, ...]
    missing: frozenset[str] = frozenset()
    told: Told = field(default_factory=dict)
    ends_early: bool = False
    """Whether the class's tail does not run in it."""


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
        positional = required if required <= 3 else 1 + self.arguments[1].name.startswith("out_")
        defaults = tuple((a.name, a.default) for a in self.arguments if a.default is not None)
        return Call(Name(function), given, positional=positional, defaults=defaults)
