"""Masks of windows that lie across a map's edges: a number for the score of two positions that are not of one part of the map."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Parts:
    """A mask of windows×1×N×N: `value` where two positions of a window are in different parts, else 0.

    The map is as many windows of a size along each axis, and `along` says for each axis in which part of it each position
    lies; a position's part is that along the first axis, and that along the next, and so on.
    """

    value: float
    windows: tuple[int, ...]
    size: tuple[int, ...]
    along: tuple[tuple[int, ...], ...]


def parts_of(mask: Any) -> Parts | None:
    """The parts that a mask tells apart; None for any other tensor."""
    import numpy as np

    shape = [n for n in mask.shape[:-3] if n != 1]
    if mask.ndim < 4 or mask.shape[-3] != 1 or mask.shape[-2] != mask.shape[-1] or len(shape) > 1:
        return None
    count, n = int(np.prod(shape)), mask.shape[-1]
    flat = mask.reshape(count, n, n)
    numbers = np.unique(flat)
    if len(numbers) != 2 or 0 not in numbers:
        return None
    value = float(str(next(number for number in numbers if number)))
    alike = flat == 0
    # Each position has the number of the first one that it is in a part with.
    first = alike.argmax(-1)
    if not (alike == (first[:, :, None] == first[:, None])).all():
        return None
    for axes in (2, 3):
        for windows in factors(count, axes):
            for size in factors(n, axes):
                along = _along(alike, windows, size)
                if along is not None:
                    return Parts(value, windows, size, along)
    return None


def factors(number: int, count: int) -> list[tuple[int, ...]]:
    """All ways to write a number as so many factors, those that are most alike first."""
    if count == 1:
        return [(number,)]
    ways = [
        (first, *rest)
        for first in range(1, number + 1)
        if number % first == 0
        for rest in factors(number // first, count - 1)
    ]
    return sorted(ways, key=lambda way: max(way) - min(way))


def _along(alike: Any, windows: tuple[int, ...], size: tuple[int, ...]) -> tuple[tuple[int, ...], ...] | None:
    """The parts along each axis, for which these pairs of positions are in one part."""
    import numpy as np

    rank = len(windows)
    apart = alike.reshape(*windows, *size, *size)
    along = []
    for axis in range(rank):
        # Windows and positions that are first along all other axes.
        place = tuple(slice(None) if n == axis else 0 for n in range(rank))
        pairs = apart[(*place, *place, *place)]
        parts: list[int] = []
        for window in pairs:
            # No score tells how windows lie to each other: each begins with the last part of the one before.
            begin = max(parts, default=0)
            parts += [begin + int(n) for n in np.unique(window.argmax(-1), return_inverse=True)[1]]
        along.append(tuple(parts))
    labels: Any = np.zeros((), dtype=np.int64)
    for axis, labelled in enumerate(along):
        laid = np.asarray(labelled).reshape(
            *(windows[n] if n == axis else 1 for n in range(rank)), *(size[n] if n == axis else 1 for n in range(rank))
        )
        labels = labels * (max(labelled) + 1) + laid
    labels = np.broadcast_to(labels, (*windows, *size)).reshape(alike.shape[0], -1)
    return tuple(along) if ((labels[:, :, None] == labels[:, None]) == alike).all() else None
