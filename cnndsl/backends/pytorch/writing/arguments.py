"""What differs between the instances of a class becomes its constructor's arguments."""

from __future__ import annotations

from collections.abc import Sequence

from cnndsl.backends.pytorch.expression import (
    Call,
    Expression,
    Literal,
    Name,
    Operation,
    children,
    everywhere,
)
from cnndsl.backends.pytorch.writing.groups import COUNTS, ChannelCount, Group, name_groups
from cnndsl.backends.pytorch.writing.layout import identifier
from cnndsl.backends.pytorch.writing.template import (
    ACTIVATION,
    NUM_CLASSES,
    Argument,
    Instance,
    Signature,
    Template,
)


def signature(template: Template, instances: Sequence[Instance]) -> Signature | None:
    """Arguments for the constants that differ. None where an instance lacks a submodule whose constants none of
    the other arguments tells."""
    places = [(name, argument) for name, argument, _ in template.constants()]
    rows = list(zip(*(instance.constants for instance in instances), strict=True)) if places else []
    defaults = _defaults(template)
    groups: list[Group] = []
    settled: dict[int, tuple[Group, int] | Literal] = {}
    for index, row in enumerate(rows):
        known = [value for value in row if value is not None]
        if all(value == known[0] for value in known):
            settled[index] = known[0]
        elif len(known) == len(row):
            settled[index] = _joined(groups, places[index], tuple(known), defaults[index]), 1
        elif (default := defaults[index]) is not None and places[index][0] in template.only_in_tail:
            # Where the tail does not run, its layers have the numbers that torch gives them.
            group = _joined(groups, places[index], tuple(value or default for value in row), default)
            group.known = tuple(value is not None for value in row)
            settled[index] = group, 1
    for index, row in enumerate(rows):
        if index not in settled:
            match = _told(groups, _domain(places[index][1]), row)
            if match is None:
                return None
            settled[index] = match
    name_groups(groups, template, places, [instance.told for instance in instances])
    arguments = [
        Argument(ChannelCount(g.name) if g.domain == "channels" else g.name, g.row, _usable(g.default, g.row))
        for g in groups
        if g.derived is None
    ]
    conditions: dict[str, Expression] = {}
    for name in (m.name for m in template.made if m.name in template.optional):
        made = [name not in instance.missing for instance in instances]
        condition = _condition(groups, made)
        if condition is None:
            condition = Name(identifier(name))
            arguments.append(Argument(condition.text, tuple(map(Literal, made)), Literal(False)))
        conditions[name] = condition
    if template.tail:
        made = [not instance.ends_early for instance in instances]
        early = _condition(groups, [not runs for runs in made])
        condition = None if early is None else _negated(early)
        if condition is None:
            condition = Name(template.flag)
            arguments.append(Argument(template.flag, tuple(map(Literal, made)), Literal(False)))
        conditions[template.flag] = condition
    if any(NUM_CLASSES in everywhere(m.expression) for m in template.made):
        arguments.append(Argument(NUM_CLASSES.text, (NUM_CLASSES,) * len(instances)))
    ordered = sorted(arguments, key=lambda argument: (argument.default is not None, _rank(argument.name)))
    return Signature(tuple(ordered), tuple(_written(settled[index]) for index in range(len(places))), conditions)


def _rank(name: str) -> int:
    """What comes in, what leaves, and then the rest, as torch's own layers have it."""
    return next((rank for rank, start in enumerate(("in_", "out_")) if name.startswith(start)), 2)


def _condition(groups: Sequence[Group], made: Sequence[bool]) -> Expression | None:
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
    return next((condition for condition, holds in [*both, *changes, *strides] if holds == list(made)), None)


def _negated(condition: Expression) -> Expression:
    """`a == b` for `a != b`, and `x and y` for what is not x and not y."""
    assert isinstance(condition, Operation)
    if condition.operator == "!=":
        return Operation("==", condition.operands)
    return Operation("and", tuple(map(_negated, condition.operands)))


def _written(settled: tuple[Group, int] | Literal) -> Expression:
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
    return "channels" if isinstance(argument, ChannelCount) or argument.endswith(COUNTS) else argument


def _joined(groups: list[Group], place: tuple[str, str], row: tuple[Literal, ...], default: Literal | None) -> Group:
    domain = _domain(place[1])
    # A convolution with as many groups as channels looks at each channel by itself.
    domains = (domain, "channels") if domain == "groups" else (domain,)
    for group in groups:
        if group.domain in domains and group.row == row:
            group.places.append(place)
            return group
    if domain == ACTIVATION:
        default = max(row, key=row.count)
    groups.append(Group(domain, row, [place], None if domain == "channels" else default))
    return groups[-1]


def _told(groups: list[Group], domain: str, row: tuple[Literal | None, ...]) -> tuple[Group, int] | None:
    """The argument, and the multiple of it, that a row with gaps always equals."""
    for factor in range(1, 9 if domain == "channels" else 2):
        for group in groups:
            if group.domain == domain and all(
                mine is None or mine == (theirs if factor == 1 else Literal(factor * theirs.value))
                for mine, theirs in zip(row, group.row, strict=True)
            ):
                return group, factor
    return None
