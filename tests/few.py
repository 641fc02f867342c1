"""Long lists of parameters of a test: a few of them always, the others in the slow runs."""

from __future__ import annotations

from collections.abc import Container, Iterable
from typing import Any

import pytest


def few(values: Iterable[Any], always: int | Container[Any]) -> list[Any]:
    """The values as parameters, tuples as several. The first so many, or those at these places, are taken always; the
    others carry the mark `slow`.
    """
    found = []
    for at, value in enumerate(values):
        kept = at < always if isinstance(always, int) else at in always
        parts = value if isinstance(value, tuple) else (value,)
        found.append(pytest.param(*parts, marks=[] if kept else [pytest.mark.slow]))
    return found
