"""The networks of the shelf as parameters of a test: one of each file always, all others in the slow runs."""

from __future__ import annotations

from functools import cache
from typing import Any

import pytest

from cnndsl.disk.shelf import architecture, architectures


@cache
def networks() -> tuple[Any, ...]:
    """Names of all built-in networks; those that are not the first of their file carry the mark `slow`."""
    seen: set[str] = set()
    found = []
    for name in architectures():
        source = architecture(name)
        assert source is not None
        found.append(pytest.param(name, marks=[pytest.mark.slow] if source.name in seen else []))
        seen.add(source.name)
    return tuple(found)
