"""What lengths of axes are in a block: those that arrive, parts and products of them, and numbers that are the same everywhere."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from cnndsl.importing.structure.blocks.tables import steps
from cnndsl.importing.structure.blocks.vectors import Values, agree, overlap
from cnndsl.importing.structure.elements import Expression
from cnndsl.ir.tensor import TensorType

_LEAST_CASES = 2
_MOST_FACTOR = 4096
_MAP = ("in.channels", "in.height", "in.width")
"""What the lengths of a map of two axes are called."""


def _says(own: Values, values: Values) -> bool:
    """Whether a parameter says these lengths, wherever they are told."""
    return all(v is None or (s is not None and s == v) for s, v in zip(own, values, strict=True))


class Lengths:
    """The lengths of one block. `entering` is what enters, in each instance."""

    def __init__(self, entering: Sequence[TensorType | None]) -> None:
        self.shapes = [None if type is None else type.shape for type in entering]
        there = [type for type in entering if type is not None]
        ranks = {len(type.shape) for type in there}
        self.rank = next(iter(ranks)) if len(ranks) == 1 and len(there) == len(entering) else 0
        maps = self.rank == len(_MAP) and all(type.kind == "map" and type.channel_axis == 0 for type in there)
        self.names = [_MAP[axis] if maps else f"in.shape[{axis}]" for axis in range(self.rank)]

    def told(self, columns: list[Values], channels: Values, given: Sequence[tuple[str, Values]]) -> list[Any]:
        """The lengths of axes, each told where something says it, by a parameter's text and values among others; the values
        where nothing does."""
        found: list[Any] = []
        after = -1
        for values in columns:
            own = {v for v in values if v is not None}
            slot = next((text for text, known in given if _says(known, values)), None)
            said = self.expression(values, channels, after) if len(own) > 1 else None
            if len(own) == 1:
                found.append(own.pop())
            elif slot is not None and (said is None or said[0].loose):
                found.append(Expression(slot))
            elif said is not None:
                text, after = said
                found.append(text)
            else:
                found.append(values)
        return found

    def expression(self, values: Values, channels: Values, after: int) -> tuple[Expression, int] | None:
        """What says these lengths, and the axis that it is told by: those behind `after` are looked at first."""
        cases = {v for v in values if v is not None}
        if len(cases) < _LEAST_CASES:
            return None
        if agree(values, channels) and overlap(values, channels):
            return Expression("in.channels"), after
        order = [*range(after + 1, self.rank), *range(after + 1)]
        for axis in (axis for axis in order if axis < self.rank):
            base = self.along(axis)
            if base == channels:
                continue
            text = self.of(self.names[axis], base, values)
            if text is not None:
                return text, axis
        text = self.of("in.channels", channels, values)
        if text is not None:
            return text, after
        for text_, base in self.products():
            found = self.of(text_, base, values, whole=True)
            if found is not None:
                return found, after
        return None

    def along(self, axis: int) -> Values:
        return [None if shape is None else shape[axis] for shape in self.shapes]

    def products(self) -> Iterator[tuple[str, Values]]:
        """Positions in all: the product of two axes, or of three."""
        for first in range(self.rank - 1):
            text, base = self.names[first], self.along(first)
            for axis in range(first + 1, self.rank):
                text = f"{text} × {self.names[axis]}"
                base = [None if a is None else a * b for a, b in zip(base, self.along(axis), strict=True)]
                yield text, base

    def of(self, text: str, base: Values, values: Values, *, whole: bool = False) -> Expression | None:
        """A part or a multiple of what `text` says."""
        pairs = [(b, v) for b, v in zip(base, values, strict=True) if v is not None]
        if any(b is None or not b or not v for b, v in pairs):
            return None
        b, v = pairs[0]
        if all(b == v for b, v in pairs):
            return Expression(text, loose=whole)
        if b % v == 0 and b // v <= _MOST_FACTOR and all(m % n == 0 and m // n == b // v for m, n in pairs):
            return Expression(f"{text} // {b // v}", loose=True)
        if v % b == 0 and v // b <= _MOST_FACTOR and all(n == m * (v // b) for m, n in pairs):
            return Expression(f"{v // b} × {text}", loose=True)
        return None

    def rule(self, values: Sequence[Any]) -> Expression | None:
        """Lists with the same steps, as long as an axis is: what says all of them."""
        found = [steps(v) if v is not None else None for v in values]
        there = [f for f in found if f is not None]
        if len(there) < sum(v is not None for v in values):
            return None
        first = there[0]
        if any((f.outer, f.inner, f.numbers) != (first.outer, first.inner, first.numbers) for f in there):
            return None
        ends = [{f.count - f.ends[n] for f in there} for n in range(len(first.ends))]
        axis = first.outer if first.outer < self.rank else 0
        told = self.expression([None if f is None else f.count for f in found], [None] * len(found), axis - 1)
        if told is None or any(len(end) > 1 for end in ends):
            return None
        count = told[0].text
        return Expression(first.text([f"{count} - {end.pop()}" for end in ends], count))
