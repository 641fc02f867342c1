"""What a parameter or an input is given in a sweep: `16..64:8`, `relu,silu`, `3x128..256:32x128..256:32`."""

from __future__ import annotations

import re
from collections.abc import Iterable
from decimal import Decimal
from itertools import product

from cnndsl.diagnostics.errors import CnnError, fault
from cnndsl.diagnostics.source import Source, Span

MOST_CHOICES = 100_000
"""Values of one range."""

_NUMBER = r"[+-]?\d[\d_]*(?:\.\d+)?(?:[eE][+-]?\d+)?"
_RANGE = re.compile(rf"({_NUMBER})\.\.({_NUMBER})(?::({_NUMBER}))?")
_OPEN, _CLOSED = "([{", ")]}"


def values_of(name: str, text: str) -> list[str]:
    """The values that `text` gives a parameter, each as the language writes it: a list at its commas, a range `a..b` with both
    ends, `a..b:step` from `a` on in steps. Commas in brackets and quotes belong to a value. Raises `CnnError` (bad-range)."""
    found: list[str] = []
    for part in _parts(text):
        match = _RANGE.fullmatch(part)
        found += _range(match, Source("-P", f"{name}={text}"), len(name) + 1) if match else [part]
    return list(dict.fromkeys(found))


def sizes_of(name: str, text: str) -> list[str]:
    """The sizes that `text` gives an input, each as `3x224x224`. Equal ranges in one size go together: they keep a picture
    square. Raises `CnnError` (bad-range)."""
    found: list[str] = []
    for part in _parts(text.replace("×", "x")):
        axes = part.split("x")
        source = Source("--input", f"{name}={text}" if name else text)
        choices = {
            axis: _range(match, source, len(source.text) - len(text)) if (match := _RANGE.fullmatch(axis)) else [axis]
            for axis in axes
        }
        for chosen in product(*choices.values()):
            of = dict(zip(choices, chosen, strict=True))
            found.append("x".join(of[axis] for axis in axes))
    return list(dict.fromkeys(found))


def _parts(text: str) -> Iterable[str]:
    """The text cut at its commas, but for those in brackets and quotes."""
    depth, quoted, start = 0, False, 0
    for index, character in enumerate(text):
        if character == '"' and text[index - 1 : index] != "\\":
            quoted = not quoted
        elif not quoted:
            depth += (character in _OPEN) - (character in _CLOSED)
            if character == "," and depth == 0:
                yield text[start:index].strip()
                start = index + 1
    yield text[start:].strip()


def _range(match: re.Match[str], source: Source, start: int) -> list[str]:
    """The numbers of a range, exactly: steps of 0.1 are tenths."""
    first, last, step = (Decimal((text or "1").replace("_", "")) for text in match.groups())
    if step <= 0 or last < first:
        raise _bad(
            source,
            start,
            f"`{match[0]}` has no numbers",
            "expected a range that goes up: its end not below its start, its step above 0",
        )
    count = int((last - first) / step) + 1
    if count > MOST_CHOICES:
        raise _bad(source, start, f"`{match[0]}` has {count:,} numbers", f"expected at most {MOST_CHOICES:,}")
    return [f"{first + step * index:f}" for index in range(count)]


def _bad(source: Source, start: int, message: str, note: str) -> CnnError:
    return fault(
        "bad-range",
        message,
        Span(source, start, len(source.text)),
        notes=(note,),
        help="write `16..64:8` for 16, 24 … 64",
    )
