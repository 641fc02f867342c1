"""How values, sizes and layers are written: in programs, tables and diagnostics alike."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

MOST_SHOWN = 40
MOST_BRIEF = 24


def show(value: Any) -> str:
    """A value as the language writes it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return f'"{value}"' if len(value) <= MOST_SHOWN else f'"{value[:MOST_SHOWN]}…"'
    if isinstance(value, tuple):
        return f"({_shown(value)}{',' if len(value) == 1 else ''})"
    if isinstance(value, list):
        return f"[{_shown(value)}]"
    return "none" if value is None else str(value)


def _shown(values: Sequence[Any]) -> str:
    """Items of a list, the first ones of a long one."""
    written = ", ".join(map(show, values[:MOST_SHOWN]))
    return written if len(values) <= MOST_SHOWN else f"{written}, … {len(values)} in all"


def brief(value: Any) -> str:
    """A value as the language writes it; of a table of many numbers its sizes alone: `[49×32]`."""
    lengths, level = [], [value]
    while level and all(isinstance(item, tuple | list) for item in level):
        lengths.append(len(level[0]))
        level = [part for item in level for part in item]
    return show(value) if len(level) <= MOST_BRIEF else f"[{sizes(lengths)}]"


def sizes(numbers: Iterable[object]) -> str:
    """Sizes as the language writes them: `3×224×224`; nothing where there are none."""
    return "×".join(map(str, numbers))


def in_bytes(number: int) -> str:
    """A number of bytes with three significant digits: `97.5 MiB`. Memory and files are counted alike."""
    size = float(number)
    for unit in ("B", "KiB", "MiB"):
        if size < 1000:
            return f"{number} B" if unit == "B" else f"{size:.3g} {unit}"
        size /= 1024
    return f"{size:.3g} GiB" if size < 1000 else f"{size:,.0f} GiB"


def in_time(seconds: float) -> str:
    """Seconds in the unit that suits them, with two digits: `4.6 ms`, `120 µs`."""
    for unit, size in (("s", 1.0), ("ms", 1e-3)):
        if seconds >= 0.995 * size:
            return f"{_two_digits(seconds / size)} {unit}"
    return f"{_two_digits(seconds / 1e-6)} µs"


def _two_digits(number: float) -> str:
    text = f"{number:.2g}"
    return f"{float(text):,.0f}" if float(text) >= 10 else text
