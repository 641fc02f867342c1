"""Constants that are equal in every instance of a class are one argument: what it is called, or what it follows from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from cnndsl.backends.pytorch.expression import Expression, Literal, Name, Operation
from cnndsl.backends.pytorch.writing.layout import identifier
from cnndsl.backends.pytorch.writing.template import Template, Told

COUNTS = ("channels", "features", "embed_dim", "normalized_shape")
"""Endings of the names of arguments that count channels: two that are equal in all instances become one argument."""

PLAIN_COUNTS = ("channels", "out", "features", "units")
"""Names that programs give to the channels of what leaves a block."""

FEWEST_TO_DERIVE = 3
"""In so many instances that differ, one number that is always the same multiple of another is no accident."""


class ChannelCount(str):
    """The name of an argument of a generated class that counts channels."""

    __slots__ = ()


@dataclass(eq=False)
class Group:
    """Constants that are equal in every instance, and so one argument; `places` are submodules and their arguments."""

    domain: str
    row: tuple[Literal, ...]
    places: list[tuple[str, str]]
    default: Literal | None
    name: str = ""
    derived: Expression | None = None
    known: tuple[bool, ...] = ()
    """In which instances the submodule is there whose number it is; in all of them where it does not say."""

    @property
    def expression(self) -> Expression:
        return self.derived or Name(self.name)


def name_groups(groups: list[Group], template: Template, places: list[tuple[str, str]], told: Sequence[Told]) -> None:
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
        own = _own_name(leaving, told)
        leaving.name = own if own and own not in PLAIN_COUNTS else f"out_{ending}"
    middle = [group for group in counts if not group.name]
    _derive(entering, leaving, middle)
    _derive_paddings(groups)
    free = [group for group in middle if group.derived is None]
    for group in free:
        alone = len(free) == 1
        group.name = _own_name(group, told) or (
            (ending if leaving is None or leaving.derived else f"mid_{ending}")
            if alone
            else f"{group.places[0][0]}_{ending}"
        )
    arguments = [group.places[0][1] for group in groups]
    for group in groups:
        argument = group.places[0][1]
        clear = len(argument) > 1 and arguments.count(argument) == 1
        group.name = group.name or ("" if clear else _own_name(group, told)) or argument or "value"
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


def _own_name(group: Group, told: Sequence[Told]) -> str:
    """The name of the block's parameter that equals the constants in every instance; empty where there is none."""
    for name in told[0] if told else ():
        pairs = [
            (each.get(name), constant.value)
            for each, constant, known in zip(told, group.row, group.known or (True,) * len(told), strict=True)
            if known
        ]
        is_number = all(isinstance(value, int | float) and not isinstance(value, bool) for value, _ in pairs)
        if len(name) > 1 and is_number and all(value == constant for value, constant in pairs):
            return identifier(name)
    within = {argument for _, argument in group.places}
    own = within.pop() if len(within) == 1 else ""
    return identifier(own) if isinstance(own, ChannelCount) and not own.endswith(COUNTS) else ""


def _derive(entering: Group | None, leaving: Group | None, middle: list[Group]) -> None:
    bases = [*middle, *([entering] if entering else [])]
    for group in [*([leaving] if leaving is not entering and leaving else []), *middle]:
        for base in bases:
            fits = not (group is leaving and base is entering) and base.derived is None and group is not base
            if fits and (factor := _factor(base, group)):
                group.derived = Operation("*", (Literal(factor), Name("")))
                break


def _derive_paddings(groups: list[Group]) -> None:
    """`padding=kernel_size // 2`, where each instance has that."""
    sizes = [group for group in groups if group.domain == "kernel_size"]
    for group in groups:
        if group.domain == "padding" and len(sizes) == 1:
            pairs = [(padding.value, size.value) for padding, size in zip(group.row, sizes[0].row, strict=True)]
            if all(isinstance(size, int) and padding == size // 2 for padding, size in pairs):
                group.derived = Operation("//", (Name("kernel_size"), Literal(2)))


def _factor(base: Group, group: Group) -> int:
    """The whole number from 2 that takes one to the other in every instance; 0 where there is none."""
    numbers = [(b.value, g.value) for b, g in zip(base.row, group.row, strict=True)]
    if base.domain != "channels" or group.domain != "channels" or len(set(numbers)) < FEWEST_TO_DERIVE:
        return 0
    if any(not b or g % b for b, g in numbers):
        return 0
    factors = {g // b for b, g in numbers}
    return factors.pop() if len(factors) == 1 and max(factors) > 1 else 0
