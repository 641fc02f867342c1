"""Variants of a program, in the order of a grid: the last parameter changes fastest."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import prod
from typing import Any

from cnndsl.diagnostics.errors import fault

MOST_VARIANTS = 1_000_000
"""Variants of one sweep: what a core builds in some hours."""

Values = Mapping[str, Any]


@dataclass(frozen=True)
class Variant:
    """One program with its values from outside."""

    model: str | None
    parameters: Values
    inputs: Mapping[str, str]

    @property
    def key(self) -> str:
        """The variant as text: equal for equal variants."""
        return json.dumps([self.model, self.parameters, self.inputs], sort_keys=True, ensure_ascii=False)

    @property
    def words(self) -> str:
        """The variant for people: `width=16, 3x128x128`."""
        named = [f"{name}={value}" for name, value in self.parameters.items()]
        named += [f"{name}={size}" if name else size for name, size in self.inputs.items()]
        return ", ".join([*([self.model] if self.model else []), *named]) or "as it is"


@dataclass(frozen=True)
class Grid(Sequence[Variant]):
    """All combinations, made one by one when they are asked for."""

    models: tuple[str | None, ...]
    parameters: Mapping[str, Sequence[Any]]
    inputs: Mapping[str, Sequence[str]]

    def __post_init__(self) -> None:
        if len(self) > MOST_VARIANTS:
            raise fault(
                "too-many-variants",
                f"these are {len(self):,} variants",
                notes=(f"expected at most {MOST_VARIANTS:,}",),
                help="give larger steps, or fewer parameters at a time",
            )

    @property
    def _axes(self) -> list[Sequence[Any]]:
        return [self.models, *self.parameters.values(), *self.inputs.values()]

    def __len__(self) -> int:
        return prod(map(len, self._axes))

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice):
            return [self[i] for i in range(*index.indices(len(self)))]
        if not -len(self) <= index < len(self):
            raise IndexError(index)
        index %= len(self)
        chosen: list[Any] = []
        for axis in reversed(self._axes):
            index, position = divmod(index, len(axis))
            chosen.append(axis[position])
        chosen.reverse()
        between = 1 + len(self.parameters)
        return Variant(
            chosen[0],
            dict(zip(self.parameters, chosen[1:between], strict=True)),
            dict(zip(self.inputs, chosen[between:], strict=True)),
        )

    def __iter__(self) -> Iterator[Variant]:
        return (self[index] for index in range(len(self)))

    @property
    def swept(self) -> tuple[str, ...]:
        """The parameters that have several values."""
        return tuple(name for name, values in self.parameters.items() if len(values) > 1)
