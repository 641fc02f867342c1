"""Masks of windows that lie across a map's edges: a number for the score of two positions that are not of one part of the map."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import Any

from cnndsl.importing.trace import Node, Ref
from cnndsl.importing.web import Web


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


def told_apart(web: Web, parts: Parts, flowing: Ref, node: Node, name: str) -> Ref:
    """A mask of windows, made of the parts of the map along each axis."""
    batch, rank = web.trace.batch, len(parts.along)
    count, n = prod(parts.windows), prod(parts.size)
    shape = tuple(len(along) for along in parts.along)

    def step(end: str, target: str, arguments: dict[str, Any], shape: tuple[int, ...]) -> Ref:
        made = Node(f"{name}.{end}" if end else name, target, arguments, (batch, *shape), scope=node.scope)
        web.insert(made, before=node.name)
        return Ref(made.name)

    factor = 1
    labels: Ref | None = None
    for axis in reversed(range(rank)):
        # Parts along one axis count in steps of all parts along the axes behind it.
        values: Any = tuple(float(part * factor) for part in parts.along[axis])
        factor *= max(parts.along[axis]) + 1
        for _ in range(axis + 1, rank):
            values = (
                tuple((value,) for value in values)
                if not isinstance(values[0], tuple)
                else tuple(map(_wrapped, values))
            )
        for _ in range(axis):
            values = (values,)
        laid = tuple(shape[axis] if m == axis else 1 for m in range(rank))
        made = step(f"along{axis}", "const", {"self": flowing, "values": values}, laid)
        if labels is None:
            labels, so_far = made, laid
        else:
            so_far = tuple(map(max, so_far, laid))
            labels = step(f"parts{axis}", "add", {"self": made, "other": labels}, so_far)
    apart = tuple(length for pair in zip(parts.windows, parts.size, strict=True) for length in pair)
    axes = (*range(0, 2 * rank, 2), *range(1, 2 * rank, 2))
    cut = step("cut", "reshape", {"self": labels}, apart)
    turned = step("turned", "permute", {"self": cut, "axes": axes}, tuple(apart[m] for m in axes))
    flat = step("flat", "reshape", {"self": turned}, (count * n,))
    asking = step("asking", "reshape", {"self": flat}, (count, 1, n, 1))
    answering = step("answering", "reshape", {"self": flat}, (count, 1, 1, n))
    apart = (count, 1, n, n)
    far = step("far", "sub", {"self": asking, "other": answering}, apart)
    far = step("abs", "abs", {"self": far}, apart)
    far = step("least", "minimum", {"self": far, "other": 1}, apart)
    return step("", "mul", {"self": far, "other": parts.value}, apart)


def _wrapped(value: Any) -> Any:
    return (value,) if not isinstance(value, tuple) else tuple(map(_wrapped, value))
