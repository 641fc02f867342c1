"""Counts the work of a function by the calls that it makes: the same number on every machine, however busy."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any


class TooMuchWork(BaseException):
    """More calls were made than the test allows; nothing that is tested may catch this."""


@contextmanager
def at_most(calls: int) -> Iterator[None]:
    """The body may call Python's and C's functions `calls` times; at the next call it ends with `TooMuchWork`."""
    left = calls

    def count(frame: FrameType, event: str, argument: Any) -> None:
        nonlocal left
        left -= event in ("call", "c_call")
        if left < 0:
            sys.setprofile(None)
            raise TooMuchWork(f"more than {calls} calls")

    before = sys.getprofile()
    sys.setprofile(count)
    try:
        yield
    finally:
        sys.setprofile(before)
