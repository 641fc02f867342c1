"""Guards `latency/fit.py`. Coefficients are found again from rows that were made of them, and none is below zero."""

from __future__ import annotations

import random

import pytest

from cnndsl.latency.features import COLUMNS
from cnndsl.latency.fit import LEAST, SHARED, Measured, fit, seconds

TRUE = {"launch": 2e-6, "work": 1e-9, "near": 4e-12}


def rows(count: int, family: str, noise: float = 0.0) -> list[Measured]:
    r = random.Random(0)
    made = []
    for _ in range(count):
        features = [0.0] * len(COLUMNS)
        for name, largest in (("launch", 3), ("work", 1e6), ("near", 1e7)):
            features[COLUMNS.index(name)] = r.uniform(0.1, 1) * largest
        time = sum(TRUE[name] * features[COLUMNS.index(name)] for name in TRUE)
        made.append(Measured(family, tuple(features), time * (1 + r.uniform(-noise, noise))))
    return made


def test_coefficients_are_found_again() -> None:
    found = fit(rows(30, "Projection"))["Projection"]
    for name, coefficient in zip(COLUMNS, found.coefficients, strict=True):
        assert coefficient == pytest.approx(TRUE.get(name, 0.0), rel=1e-3, abs=1e-15)
    assert found.p90 < 1e-3


def test_a_row_that_was_disturbed_hardly_counts() -> None:
    given = rows(30, "Projection", noise=0.02)
    given[3] = Measured(given[3].family, given[3].row, 40 * given[3].seconds)
    found = fit(given)["Projection"]
    assert found.median < 0.03
    assert all(c >= 0 for c in found.coefficients)


def test_a_family_with_few_rows_shares_its_coefficients() -> None:
    found = fit([*rows(20, "Projection"), *rows(LEAST - 1, "Rare")])
    assert set(found) == {SHARED, "Projection"}
    (row, *_) = rows(1, "Rare")
    assert sum(seconds(found[SHARED].coefficients, row.row)) == pytest.approx(row.seconds, rel=0.01)
