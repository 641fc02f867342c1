"""Lists of numbers as a person writes them: by a rule where there is one that is shorter."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from cnndsl.importing.structure.words import number

_LEAST_NUMBERS = 6
"""How many numbers a list has at least that is written by a rule."""
_MOST_STEPS = 4
_LEAST_ALIKE = 3
_LEAST_ALONG = 2


def table(values: Any) -> str | None:
    """A list, or lists within lists, by a rule; None where it is as well written number by number."""
    if not isinstance(values, tuple) or _count(values) < _LEAST_NUMBERS:
        return None
    return _grid(values) or _by_steps(values) or _repeated(values)


def _count(values: Any) -> int:
    return sum(map(_count, values)) if isinstance(values, tuple) else 1


def _plain(values: tuple[Any, ...]) -> bool:
    return all(isinstance(value, int | float) and not isinstance(value, bool) for value in values)


@dataclass(frozen=True)
class Steps:
    """A list in which a few times another number follows, within lists of one, and of lists of one."""

    outer: int
    inner: int
    count: int
    ends: tuple[int, ...]
    numbers: tuple[float, ...]

    def text(self, ends: Sequence[str], count: str) -> str:
        """The list by a rule, with these texts for the places where a number ends and for how many there are."""
        said = "".join(f"{number(n)} if at < {end} else " for n, end in zip(self.numbers[:-1], ends, strict=True))
        each = f"{'[' * self.inner}{said}{number(self.numbers[-1])}{']' * self.inner}"
        return f"{'[' * self.outer}[{each} for at in range({count})]{']' * self.outer}"


def steps(values: Any) -> Steps | None:
    """The steps of a list; None where there are none, or too many."""
    outer = inner = 0
    while isinstance(values, tuple) and len(values) == 1:
        values, outer = values[0], outer + 1
    while isinstance(values, tuple) and values and all(isinstance(v, tuple) and len(v) == 1 for v in values):
        values, inner = tuple(v[0] for v in values), inner + 1
    if not isinstance(values, tuple) or len(values) < _LEAST_NUMBERS or not _plain(values):
        return None
    ends = tuple(n for n in range(1, len(values)) if values[n] != values[n - 1])
    if len(ends) >= _MOST_STEPS:
        return None
    return Steps(outer, inner, len(values), ends, (*(values[end - 1] for end in ends), values[-1]))


def _by_steps(values: tuple[Any, ...]) -> str | None:
    found = steps(values)
    return found.text([str(end) for end in found.ends], str(found.count)) if found is not None else None


def _repeated(values: tuple[Any, ...]) -> str | None:
    """Lists that are all alike."""
    if len(values) < _LEAST_ALIKE or not isinstance(values[0], tuple) or len(set(values)) > 1:
        return None
    return f"[{table(values[0]) or _listed(values[0])} for at in range({len(values)})]"


def _listed(values: tuple[Any, ...]) -> str:
    return f"[{', '.join(_listed(v) if isinstance(v, tuple) else number(v) for v in values)}]"


def _grid(values: tuple[Any, ...]) -> str | None:
    """Rows and columns of a few numbers each, which are by the row, by the column, or the sum of both squares."""
    depth, rows = 0, values
    while len(rows) == 1 and isinstance(rows[0], tuple):
        rows, depth = rows[0], depth + 1
    if len(rows) < _LEAST_ALONG or not all(isinstance(row, tuple) and len(row) == len(rows[0]) > 1 for row in rows):
        return None
    cells = [cell for row in rows for cell in row]
    if not all(isinstance(cell, tuple) and 1 < len(cell) == len(cells[0]) and _plain(cell) for cell in cells):
        return None
    names: dict[str, tuple[float, ...]] = {}
    said = []
    for n in range(len(cells[0])):
        ways = {"y": tuple(row[0][n] for row in rows), "x": tuple(cell[n] for cell in rows[0])}
        whole = [[cell[n] for cell in row] for row in rows]
        by = next(
            (name for name, along in ways.items() if whole == _spread(name, along, len(rows), len(rows[0]))), None
        )
        if by is not None and names.setdefault(by, ways[by]) == ways[by]:
            said.append(by)
        elif len(names) == len(ways) and whole == [[y * y + x * x for x in names["x"]] for y in names["y"]]:
            said.append("y × y + x × x")
        else:
            return None
    if len(names) != _LEAST_ALONG:
        return None
    body = f"[[[{', '.join(said)}] for x in {_listed(names['x'])}] for y in {_listed(names['y'])}]"
    return "[" * depth + body + "]" * depth


def _spread(name: str, along: tuple[float, ...], down: int, right: int) -> list[list[float]]:
    """Numbers by the row or by the column, for all rows and columns."""
    return [[n] * right for n in along] if name == "y" else [list(along)] * down
