"""Which four neighbouring columns of a row are read for what: for windows that lie along the columns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

_TOGETHER = 4

Variant = tuple[int | None, int | None, int | None, int | None]
"""The tap of a window that stands at each of four neighbouring columns; None where none does."""


@dataclass(frozen=True)
class Load:
    """Four neighbouring columns, read once."""

    first: int
    columns: tuple[tuple[int, Variant], ...]
    """The columns of the result that see some of them, with the taps at which they do."""


def covering(seen: Sequence[Mapping[int, int]], width: int | None) -> tuple[Load, ...]:
    """What is read of a row for columns of the result of which each sees columns, with the tap for each: with the fewest
    products, and then few loads. Of a row of `width` columns, none for a row without ends, nothing outside is read."""
    loads: dict[int, list[tuple[int, Variant]]] = {}
    for x, taps in enumerate(seen):
        inside = {column: tap for column, tap in taps.items() if width is None or 0 <= column < width}
        fresh = _pieces(inside, width)
        again = _pieces_of(inside, sorted(loads))
        chosen = again if again is not None and len(again) <= len(fresh) else fresh
        for first, columns in chosen.items():
            places = {column - first: inside[column] for column in columns}
            variant: Variant = (places.get(0), places.get(1), places.get(2), places.get(3))
            loads.setdefault(first, []).append((x, variant))
    return tuple(Load(first, tuple(columns)) for first, columns in loads.items())


def _pieces(inside: Mapping[int, int], width: int | None) -> dict[int, list[int]]:
    """Columns by the first of four that are read for them, from the left; at the end of the row shifted inside."""
    found: dict[int, list[int]] = {}
    end = -1
    for column in sorted(inside):
        if column >= end:
            first = column if width is None else min(column, width - _TOGETHER)
            end = first + _TOGETHER
            found[first] = []
        found[first].append(column)
    return found


def _pieces_of(inside: Mapping[int, int], loads: Sequence[int]) -> dict[int, list[int]] | None:
    """The same with what is read already, where that has all columns: for each of them the last four that have it."""
    found: dict[int, list[int]] = {}
    end, first = -1, 0
    for column in sorted(inside):
        if column >= end:
            fitting = [load for load in loads if load <= column < load + _TOGETHER]
            if not fitting:
                return None
            first = fitting[-1]
            end = first + _TOGETHER
        found.setdefault(first, []).append(column)
    return found
