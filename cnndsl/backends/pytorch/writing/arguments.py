"""What differs between the instances of a class becomes its constructor's arguments."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from cnndsl.backends.pytorch.expression import (
    Call,
    Expression,
    Literal,
    Name,
    Operation,
    children,
    everywhere,
)
from cnndsl.backends.pytorch.writing.layout import identifier
from cnndsl.backends.pytorch.writing.template import ACTIVATION, NUM_CLASSES, Argument, Instance, Signature, Template

COUNTS = ("channels", "features", "embed_dim", "normalized_shape")
"""Endings of the names of arguments that count channels: two that are equal in all instances become one argument."""

FEWEST_TO_DERIVE = 3
"""In so many instances that differ, one number that is always the same multiple of another is no accident."""


@dataclass(eq=False)
class _Group:
    """Constants that are equal in every instance, and so one argument; `places` are submodules and their arguments."""

    domain: str
    row: tuple[Literal, ...]
    places: list[tuple[str, str]]
    default: Literal | None
    name: str = ""
    derived: Expression | None = None

    @property
    def expression(self) -> Expression:
        return self.derived or Name(self.name)


def signature(template: Template, instances: Sequence[Instance]) -> Signature | None:
    """Arguments for the constants that differ. None where an instance lacks a submodule whose constants none of
    the other arguments tells."""
    places = [(name, argument) for name, argument, _ in template.constants()]
    rows = list(zip(*(instance.constants for instance in instances), strict=True)) if places else []
    defaults = _defaults(template)
    groups: list[_Group] = []
    settled: dict[int, tuple[_Group, int] | Literal] = {}
    for index, row in enumerate(rows):
        known = [value for value in row if value is not None]
        if all(value == known[0] for value in known):
            settled[index] = known[0]
        elif len(known) == len(row):
            settled[index] = _joined(groups, places[index], tuple(known), defaults[index]), 1
    for index, row in enumerate(rows):
        if index not in settled:
            match = _told(groups, _domain(places[index][1]), row)
            if match is None:
                return None
            settled[index] = match
    _name(groups, template, places)
    arguments = [Argument(g.name, g.row, _usable(g.default, g.row)) for g in groups if g.derived is None]
    conditions: dict[str, Expression] = {}
    for name in (m.name for m in template.made if m.name in template.optional):
        made = [name not in instance.missing for instance in instances]
        condition = _condition(groups, made)
        if condition is None:
            condition = Name(identifier(name))
            arguments.append(Argument(condition.text, tuple(map(Literal, made)), Literal(False)))
        conditions[name] = condition
    if any(NUM_CLASSES in everywhere(m.expression) for m in template.made):
        arguments.append(Argument(NUM_CLASSES.text, (NUM_CLASSES,) * len(instances)))
    ordered = sorted(arguments, key=lambda argument: argument.default is not None)
    return Signature(tuple(ordered), tuple(_written(settled[index]) for index in range(len(places))), conditions)


def _condition(groups: Sequence[_Group], made: Sequence[bool]) -> Expression | None:
    """A condition on the arguments that says which instances have a submodule: their channels change, or their stride."""
    channels = [group for group in groups if group.domain == "channels"]
    entering = next((group for group in channels if group.name.startswith("in_")), None)
    changes: list[tuple[Expression, list[bool]]] = []
    for group in channels if entering else []:
        assert entering is not None
        differs = [mine != theirs for mine, theirs in zip(entering.row, group.row, strict=True)]
        if group is not entering and any(differs):
            changes.append((Operation("!=", (entering.expression, group.expression)), differs))
    strides = [
        (Operation("!=", (Name(group.name), Literal(1))), [value != Literal(1) for value in group.row])
        for group in groups
        if group.domain == "stride"
    ]
    both = [
        (Operation("or", (stride, change)), [a or b for a, b in zip(strided, changed, strict=True)])
        for stride, strided in strides
        for change, changed in changes
    ]
    return next((condition for condition, holds in [*changes, *strides, *both] if holds == list(made)), None)


def _written(settled: tuple[_Group, int] | Literal) -> Expression:
    if isinstance(settled, Literal):
        return settled
    group, factor = settled
    return group.expression if factor == 1 else Operation("*", (Literal(factor), group.expression))


def _defaults(template: Template) -> list[Literal | None]:
    """The default that each constant's own call has for it."""
    found: list[Literal | None] = []

    def walk(expression: Expression, default: Literal | None) -> None:
        if isinstance(expression, Literal):
            found.append(default)
        elif isinstance(expression, Call):
            known = dict(expression.defaults)
            walk(expression.function, None)
            for name, value in expression.arguments:
                own = known.get(name or "")
                walk(value, own if isinstance(own, Literal) else None)
        else:
            for part in children(expression):
                walk(part, None)

    for made in template.made:
        walk(made.expression, None)
    return found


def _usable(default: Literal | None, row: tuple[Literal, ...]) -> Literal | None:
    return default if default in row else None


def _domain(argument: str) -> str:
    """What an argument counts: only arguments of one domain can be equal by more than accident."""
    return "channels" if argument.endswith(COUNTS) else argument


def _joined(groups: list[_Group], place: tuple[str, str], row: tuple[Literal, ...], default: Literal | None) -> _Group:
    domain = _domain(place[1])
    # A convolution with as many groups as channels looks at each channel by itself.
    domains = (domain, "channels") if domain == "groups" else (domain,)
    for group in groups:
        if group.domain in domains and group.row == row:
            group.places.append(place)
            return group
    if domain == ACTIVATION:
        default = max(row, key=row.count)
    groups.append(_Group(domain, row, [place], None if domain == "channels" else default))
    return groups[-1]


def _told(groups: list[_Group], domain: str, row: tuple[Literal | None, ...]) -> tuple[_Group, int] | None:
    """The argument, and the multiple of it, that a row with gaps always equals."""
    for factor in range(1, 9 if domain == "channels" else 2):
        for group in groups:
            if group.domain == domain and all(
                mine is None or mine == (theirs if factor == 1 else Literal(factor * theirs.value))
                for mine, theirs in zip(row, group.row, strict=True)
            ):
                return group, factor
    return None


# -- names


def _name(groups: list[_Group], template: Template, places: list[tuple[str, str]]) -> None:
    """Gives each group a name, or the multiple of another one that it is."""
    counts = [group for group in groups if group.domain == "channels"]
    required = [name for name in (m.name for m in template.made) if name not in template.optional]
    entering = next((g for g in counts if g.places[0][0] == required[0]), None) if required else None
    by_place = {id(place): group for group in counts for place in group.places}
    ends = [
        by_place[id(place)]
        for place in places
        if id(place) in by_place and place[0] in required and place[1][:3] != "in_"
    ]
    leaving = ends[-1] if ends else None
    kinds = {argument for group in counts for _, argument in group.places}
    features = bool(kinds) and all(kind.endswith("features") for kind in kinds)
    ending = "num_features" if kinds == {"num_features"} else "features" if features else "channels"
    if entering is not None:
        entering.name = ending if entering is leaving else f"in_{ending}"
    if leaving is not None and leaving is not entering:
        leaving.name = f"out_{ending}"
    middle = [group for group in counts if not group.name]
    _derive(entering, leaving, middle)
    _derive_paddings(groups)
    free = [group for group in middle if group.derived is None]
    for group in free:
        alone = len(free) == 1
        group.name = (
            (ending if leaving is None or leaving.derived else f"mid_{ending}")
            if alone
            else f"{group.places[0][0]}_{ending}"
        )
    for group in groups:
        group.name = group.name or group.places[0][1] or "value"
    taken: set[str] = set(template.optional)
    for group in groups:
        if group.derived is None:
            wanted = identifier(group.name)
            if wanted in taken:
                wanted = identifier(f"{group.places[0][0]}_{group.places[0][1]}")
            base, count = wanted, 1
            while wanted in taken:
                count += 1
                wanted = f"{base}_{count}"
            group.name = wanted
            taken.add(wanted)
    # Multiples are said of names that are final now.
    for group in groups:
        if isinstance(group.derived, Operation) and group.derived.operator == "*":
            base_group, factor = next((b, k) for b in groups if b.derived is None and (k := _factor(b, group)))
            group.derived = Operation("*", (Literal(factor), Name(base_group.name)))


def _derive(entering: _Group | None, leaving: _Group | None, middle: list[_Group]) -> None:
    bases = [*middle, *([entering] if entering else [])]
    for group in [*([leaving] if leaving is not entering and leaving else []), *middle]:
        for base in bases:
            fits = not (group is leaving and base is entering) and base.derived is None and group is not base
            if fits and (factor := _factor(base, group)):
                group.derived = Operation("*", (Literal(factor), Name("")))
                break


def _derive_paddings(groups: list[_Group]) -> None:
    """`padding=kernel_size // 2`, where each instance has that."""
    sizes = [group for group in groups if group.domain == "kernel_size"]
    for group in groups:
        if group.domain == "padding" and len(sizes) == 1:
            pairs = [(padding.value, size.value) for padding, size in zip(group.row, sizes[0].row, strict=True)]
            if all(isinstance(size, int) and padding == size // 2 for padding, size in pairs):
                group.derived = Operation("//", (Name("kernel_size"), Literal(2)))


def _factor(base: _Group, group: _Group) -> int:
    """The whole number from 2 that takes one to the other in every instance; 0 where there is none."""
    numbers = [(b.value, g.value) for b, g in zip(base.row, group.row, strict=True)]
    if base.domain != "channels" or group.domain != "channels" or len(set(numbers)) < FEWEST_TO_DERIVE:
        return 0
    if any(not b or g % b for b, g in numbers):
        return 0
    factors = {g // b for b, g in numbers}
    return factors.pop() if len(factors) == 1 and max(factors) > 1 else 0
