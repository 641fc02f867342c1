"""What the sums of a window begin with where the numbers of a map have a zero point.

The sums are of numbers less their zero point, so they begin at minus the zero point times the sum of the weights that lie
inside the map: a number for each channel, which is another one at borders. Positions on an axis are of one *class* where
the same part of the window lies inside: each position near a border is a class of its own, and all others are one.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from math import prod
from typing import TYPE_CHECKING, Any

from cnndsl.backends.tvm.kernels.words.nest import parts
from cnndsl.ir.window import Window

if TYPE_CHECKING:
    import numpy as np


@dataclass(frozen=True)
class Axis:
    """The classes of positions on one axis: the first `lead` positions are one each, then all up to `tail` are one
    class, and from `tail` on each is one."""

    lead: int
    tail: int
    count: int
    """Positions."""

    @property
    def classes(self) -> int:
        return self.lead + (self.tail > self.lead) + self.count - self.tail

    def class_of(self, position: Any, minimum: Any = min, maximum: Any = max) -> Any:
        """The class of a position; of an expression by the functions given."""
        if self.classes == 1:
            return 0
        before = minimum(position, self.lead)
        return before + maximum(position - (self.tail - 1), 0) if self.tail > self.lead else position


def axes(window: Window, size: tuple[int, ...], bordered: bool) -> tuple[Axis, ...]:
    """The classes on each axis; one of all positions where nothing is `bordered`."""
    found = []
    for axis, count in enumerate(window.output_size(size)):
        whole = [o for o in range(count) if len(inside(window, size, axis, o)) == window.kernel[axis]]
        if not bordered:
            found.append(Axis(0, count, count))
        elif whole:
            found.append(Axis(whole[0], whole[-1] + 1, count))
        else:
            found.append(Axis(count, count, count))
    return tuple(found)


def inside(window: Window, size: tuple[int, ...], axis: int, position: int) -> tuple[int, ...]:
    """The taps of a window on an axis that lie inside the map."""
    first = position * window.stride[axis] - window.before[axis]
    taps = range(window.kernel[axis])
    return tuple(k for k in taps if 0 <= first + k * window.dilation[axis] < size[axis])


def runs(window: Window, size: tuple[int, ...], most: int) -> list[tuple[int, int, int]]:
    """A row of outputs in tiles of up to `most` columns, over a map of `size`: tiles of equal width that see nothing outside as
    one run, all others one by one: (first column, tiles, columns)."""
    found: list[tuple[int, int, int]] = []
    stride, before, extent = window.stride[-1], window.before[-1], window.extent[-1]

    def inside(start: int, columns: int) -> bool:
        low = start * stride - before
        return low >= 0 and low + (columns - 1) * stride + extent <= size[-1]

    for first, tiles, columns in parts(window.output_size(size)[-1], most):
        for start in range(first, first + tiles * columns, columns):
            last = found[-1] if found else None
            if last and last[2] == columns and inside(start, columns) and inside(last[0], columns):
                found[-1] = (last[0], last[1] + 1, columns)
            else:
                found.append((start, 1, columns))
    return found


def is_bordered(window: Window, size: tuple[int, ...], zero_point: int) -> bool:
    """Whether sums begin with other numbers at borders."""
    return zero_point != 0 and any(window.before + window.after_filled(size))


def pack_starts(weight: np.ndarray, zero_point: int, window: Window, size: tuple[int, ...], lanes: int) -> np.ndarray:
    """Of int8 weights `(out, seen, *kernel)` the starts, int32 `(classes, chunks_out, lanes)`, where `classes` is the
    product of those on all axes."""
    import numpy as np

    from cnndsl.backends.tvm.kernels.words.packing import fill_up

    bordered = is_bordered(window, size, zero_point)
    taps = weight.astype(np.int64).sum(axis=1)
    found = []
    for places in product(*(_representatives(axis) for axis in axes(window, size, bordered))):
        seen = taps
        for axis, position in enumerate(places):
            kept = inside(window, size, axis, position) if bordered else tuple(range(window.kernel[axis]))
            seen = np.take(seen, kept, axis=axis + 1)
        found.append(-zero_point * seen.reshape(len(seen), -1).sum(axis=1))
    return fill_up(np.stack(found).astype(np.int32), 1, lanes).reshape(len(found), -1, lanes)


def classes(found: tuple[Axis, ...]) -> int:
    return prod(axis.classes for axis in found)


def _representatives(axis: Axis) -> list[int]:
    """A position of each class, in order."""
    middle = [axis.lead] if axis.tail > axis.lead else []
    return [*range(axis.lead), *middle, *range(axis.tail, axis.count)]
