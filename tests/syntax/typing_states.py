"""The texts that a program goes through while parts of it are typed."""

from __future__ import annotations

import random
from collections.abc import Iterator

_CLOSES = {"(": ")", "[": "]", "{": "}"}


def states(text: str, start: int, end: int, *, closing: bool) -> Iterator[str]:
    """Every text in which only a beginning of `text[start:end]` has been typed; with `closing`, an editor has put a closing
    bracket behind the cursor for each one that is open."""
    for typed in range(start, end + 1):
        behind = _behind(text[start:typed]) if closing else ""
        yield text[:typed] + behind + text[end:]


def sampled(text: str, parts: int, length: int, seed: int = 0) -> Iterator[str]:
    """States of some parts of a text, with and without closing brackets."""
    draw = random.Random(seed)
    for _ in range(parts):
        start = draw.randrange(max(len(text) - length, 1))
        for closing in (False, True):
            yield from states(text, start, min(start + length, len(text)), closing=closing)


def _behind(typed: str) -> str:
    open_: list[str] = []
    for sign in typed:
        if sign in _CLOSES:
            open_.append(_CLOSES[sign])
        elif open_ and sign == open_[-1]:
            open_.pop()
    return "".join(reversed(open_))
