"""Measured kernels → coefficients: of each family the sum of feature times coefficient that is nearest to its rows, by relative
error, with no coefficient below zero.

Least squares under that condition are solved by descent along one coordinate after another, which finds the only minimum: the
features are few. Rows that lie far from the first solution count less in the second (Huber's weights).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from cnndsl.latency.features import COLUMNS, Row

LEAST = 6
"""Rows that a family must have for coefficients of its own."""
SHARED = "others"
"""The family of those that have fewer."""
_SWEEPS = 3000
_FAR = 0.15
"""Relative error from which a row counts less."""


@dataclass(frozen=True)
class Measured:
    """A kernel that was measured."""

    family: str
    row: Row
    seconds: float
    kernel: str = ""
    """Which, in words."""


@dataclass(frozen=True)
class Family:
    """Seconds for one of each feature, and how well its rows are met: the median and the ninth decile of the relative errors."""

    coefficients: Row
    rows: int
    median: float
    p90: float


def fit(measured: Sequence[Measured]) -> dict[str, Family]:
    """The families by name; `SHARED` is fitted to all rows that no arithmetic of products is in."""
    by_family: dict[str, list[Measured]] = defaultdict(list)
    for one in measured:
        by_family[one.family].append(one)
    simple = [one for one in measured if not one.row[COLUMNS.index("work")]] or list(measured)
    found = {SHARED: _family(simple)}
    for name, rows in by_family.items():
        if len(rows) >= LEAST:
            found[name] = _family(rows)
    return found


def seconds(coefficients: Row, row: Row) -> Row:
    """The seconds of each column."""
    return tuple(c * x for c, x in zip(coefficients, row, strict=True))


def _family(rows: Sequence[Measured]) -> Family:
    weights = [1.0] * len(rows)
    coefficients: Row = ()
    for _ in range(3):
        coefficients = _least([one.row for one in rows], [one.seconds for one in rows], weights)
        off = [abs(sum(seconds(coefficients, one.row)) / one.seconds - 1) for one in rows]
        weights = [min(1.0, _FAR / error) if error else 1.0 for error in off]
    off = sorted(off)
    return Family(coefficients, len(rows), median(off), off[min(len(off) - 1, int(0.9 * len(off)))])


def _least(rows: Sequence[Row], times: Sequence[float], weights: Sequence[float]) -> Row:
    """The coefficients from zero on that make the weighted sum of squares of `row · coefficients / time - 1` least."""
    count = len(COLUMNS)
    scaled = [[x / t for x in row] for row, t in zip(rows, times, strict=True)]
    # Columns of equal length make one step as large as another.
    length = [sum(w * row[j] ** 2 for row, w in zip(scaled, weights, strict=True)) ** 0.5 or 1.0 for j in range(count)]
    unit = [[row[j] / length[j] for j in range(count)] for row in scaled]
    gram = [
        [sum(w * row[i] * row[j] for row, w in zip(unit, weights, strict=True)) for j in range(count)]
        for i in range(count)
    ]
    towards = [sum(w * row[j] for row, w in zip(unit, weights, strict=True)) for j in range(count)]
    x = [0.0] * count
    used = [j for j in range(count) if gram[j][j] > 0]
    for _ in range(_SWEEPS):
        moved = 0.0
        for j in used:
            step = (towards[j] - sum(gram[j][i] * x[i] for i in used)) / (gram[j][j] + 1e-6)
            new = max(0.0, x[j] + step)
            moved = max(moved, abs(new - x[j]))
            x[j] = new
        if moved < 1e-9 * max(1.0, *x):
            break
    return tuple(x[j] / length[j] for j in range(count))
