"""What each position of a result is made of, axis by axis: cuts, padding, upsampling and uneven averages are one
kernel.

A result position is the sum over its *taps*, of which it has equally many everywhere; a tap is a position of the
input and a factor. Over several axes the factors multiply.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cnndsl.backends.tvm.program.steps import Step
from cnndsl.ir.axes import axis_index
from cnndsl.ir.tensor import TensorType
from cnndsl.ir.window import Window
from cnndsl.ops.adaptive_avg_pool import AdaptiveAvgPool
from cnndsl.ops.avg_pool import AvgPool
from cnndsl.ops.crop import Crop
from cnndsl.ops.pad import Pad
from cnndsl.ops.slice import Slice
from cnndsl.ops.upsample import Upsample

if TYPE_CHECKING:
    import numpy as np

NOTHING = -1
"""The position of a tap that adds nothing."""


@dataclass(frozen=True, eq=False)
class Taps:
    """One axis: positions and factors, each `(taps, positions of the result)`."""

    positions: np.ndarray
    factors: np.ndarray

    @property
    def count(self) -> int:
        return len(self.positions)

    @property
    def weighted(self) -> bool:
        """Whether any factor is other than one."""
        return bool((self.factors != 1).any())

    @property
    def fills(self) -> bool:
        """Whether any tap adds nothing."""
        return bool((self.positions == NOTHING).any())


def find_positions(step: Step) -> tuple[np.ndarray | None, ...] | None:
    """For each axis behind the channels the position of the input that each of the result has the number of, `NOTHING` for a
    zero, or None where it stays as it is; None for steps that do more than move positions."""
    axes = find_taps(step)
    if axes is None or any(axis is not None and (axis.count > 1 or axis.weighted) for axis in axes):
        return None
    return tuple(None if axis is None else axis.positions[0] for axis in axes)


def find_taps(step: Step) -> tuple[Taps | None, ...] | None:
    """For each axis behind the channels its taps, or None where it stays as it is; None for steps of another kind."""
    if len(step.xs) != 1 or not step.is_image:
        return None
    op, (x,) = step.op, step.xs
    if isinstance(op, Upsample):
        return tuple(None if axis is None else _taps(*zip(*axis, strict=True)) for axis in op.taps(x))
    if isinstance(op, Crop):
        return tuple(_run((n - m) // 2, n, m) for n, m in zip(x.size, step.type.size, strict=True))
    if isinstance(op, Slice) and op.axis is not None and (axis := axis_index(op.axis, x)) != x.channel_axis:
        return tuple(_run(op.start if i == axis - 1 else 0, *sizes) for i, sizes in enumerate(_sizes(step)))
    if isinstance(op, Pad):
        window = op.window_over(x)
        return tuple(_padded(op.mode, n, *pads) for n, *pads in zip(x.size, window.before, window.after, strict=True))
    if isinstance(op, AvgPool):
        return tuple(_averaged(op.window_over(x), x, axis, op.count_pad) for axis in range(x.rank))
    if isinstance(op, AdaptiveAvgPool):
        return tuple(_adapted(*sizes) for sizes in _sizes(step))
    return None


def _sizes(step: Step) -> list[tuple[int, int]]:
    return list(zip(step.xs[0].size, step.type.size, strict=True))


def _taps(positions: Sequence[Sequence[int]], factors: Sequence[Sequence[float]]) -> Taps:
    import numpy as np

    return Taps(np.array(positions, np.int32), np.array(factors, np.float32))


def _run(start: int, n: int, m: int) -> Taps | None:
    return None if n == m else _taps([list(range(start, start + m))], [[1.0] * m])


def _padded(mode: str, n: int, before: int, after: int) -> Taps | None:
    if not before and not after:
        return None
    places = range(-before, n + after)
    period = max(2 * (n - 1), 1)
    known = {
        "zeros": [p if 0 <= p < n else NOTHING for p in places],
        "replicate": [min(max(p, 0), n - 1) for p in places],
        "circular": [p % n for p in places],
        "reflect": [n - 1 - abs(n - 1 - p % period) for p in places],
    }[mode]
    return _taps([known], [[1.0] * len(known)])


def _averaged(window: Window, x: TensorType, axis: int, count_pad: bool) -> Taps | None:
    """PyTorch's averages: padding counts or not, what `ceil` adds behind it never does."""
    n, k, s, b = x.size[axis], window.kernel[axis], window.stride[axis], window.before[axis]
    starts = [o * s - b for o in range(window.output_size(x.size)[axis])]
    if k == s == 1 and not b:
        return None
    first, last = (-b, n + window.after[axis]) if count_pad else (0, n)
    counted = [sum(first <= start + i < last for i in range(k)) for start in starts]
    return _taps(
        [[start + i if 0 <= start + i < n else NOTHING for start in starts] for i in range(k)],
        [[1 / count for count in counted]] * k,
    )


def _adapted(n: int, m: int) -> Taps | None:
    if n == m:
        return None
    ranges = [(o * n // m, -(-(o + 1) * n // m)) for o in range(m)]
    most = max(stop - start for start, stop in ranges)
    return _taps(
        [[start + i if start + i < stop else NOTHING for start, stop in ranges] for i in range(most)],
        [[1 / (stop - start) for start, stop in ranges]] * most,
    )
