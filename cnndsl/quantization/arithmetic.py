"""The arithmetic of quantised networks, which every processor follows bit by bit.

A *map* is a tensor of whole numbers q from 0 to 255, which stand for the real numbers `(q - zero_point) · scale`. A
*weight* is a tensor of whole numbers from -127 to 127, with one scale for each output channel. One rule gives every
result, where `fma(a, b, c)` is `a · b + c` in float32, rounded once, and `rint` rounds to the nearest whole number,
ties to even:

    sums       the whole-number result of the layer over `q - zero_point`, exact in int32
    v          fma(float32(sums), factor, offset)
    v          fma(float32(r), factor of r, v)           for each residual r, in order, without its zero point
    q          the whole number clamp(rint(v), low, high)

`factor` and `offset` are computed in float64 and rounded to float32 once. The scale and the zero point of the result
are in them, and so is what the zero points of residuals add up to. The layers' sums:

    Conv, FC             the products with the weights; outside a map lies the number zero, which is exact
    a sum of maps        no sums: the first map is taken as a residual is, and `v` begins as `offset`
    a product of maps    the products of both numbers, each less its zero point
    a mean               the sum of the numbers of a window, each less the zero point; the factor divides by their count
    a batch norm         the numbers themselves, each less the zero point
    a maximum            of the q themselves: the result has the same scale, and nothing is rounded
    a pointwise layer    a table of 256 numbers, computed in float64, from q to q

A layer whose result stays a real number ends at `v`, clamped: its factor and offset are those of a scale of one and a
zero point of zero. A real number becomes a whole one as `clamp(rint(fma(x, 1 / scale, zero_point)), 0, 255)`, and a whole
number a real one as `float32(q - zero_point) · scale`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np

LARGEST = 255
"""The largest number of a map."""
LARGEST_WEIGHT = 127
"""The largest number of a weight; the smallest is its negative."""
MOST_PRODUCTS = (2**31 - 1) // (LARGEST * LARGEST_WEIGHT)
"""How many products are sure to have an exact sum in int32."""
MOST_IN_BIAS = 2**30
"""Biases are whole multiples of the sums' unit up to so many of them."""

NOTHING = 1e-30
"""Below this size a number is taken for zero: scales are then numbers that float32 divides by."""


@dataclass(frozen=True)
class Scale:
    """What the numbers of a map stand for: `(q - zero_point) · scale`. `scale` is a float32 number above zero."""

    scale: float
    zero_point: int

    @classmethod
    def over(cls, low: float, high: float) -> Scale:
        """The scale that covers the numbers from `low` to `high`, and zero, which it has exactly; at either end a number may lie
        half a step outside, and is then no further off than any other.

        The zero point is even, so that a number in the middle between two becomes the same one whether the zero point is added
        before it is rounded, as here, or after, as ONNX has it."""
        import numpy as np

        low, high = min(low, 0.0), max(high, 0.0)
        if high - low < NOTHING:
            return cls(1.0, 0)
        below = min(int(-low / (high - low) * LARGEST / 2) * 2, LARGEST - 1)

        def needed(zero_point: int) -> float:
            return max((high - low) / LARGEST, -low / (zero_point + 0.5), high / (LARGEST - zero_point + 0.5))

        zero_point = min((z for z in (below, below + 2) if z < LARGEST), key=needed)
        return cls(float(np.float32(needed(zero_point))), zero_point)

    def quantized(self, x: np.ndarray) -> np.ndarray:
        """Real numbers, float32, as the numbers of a map, uint8."""
        import numpy as np

        inverse, offset = np.float32(1 / np.float64(self.scale)), np.float32(self.zero_point)
        return rounded(fma(x, inverse, offset), 0, LARGEST)

    def real(self, q: np.ndarray) -> np.ndarray:
        """The numbers of a map, uint8, as the float32 numbers that they stand for."""
        import numpy as np

        return (q.astype(np.int32) - self.zero_point).astype(np.float32) * np.float32(self.scale)


REAL = Scale(1.0, 0)
"""The scale of a result that stays a real number."""


def fma(a: np.ndarray, b: np.ndarray | np.float32, c: np.ndarray | np.float32) -> np.ndarray:
    """`a · b + c` of float32 numbers, rounded to float32 once.

    The product is exact in float64. The sum is not always: its rounding error, which is exact in float64 (Knuth's TwoSum),
    says to which side of the sum the true value lies, and an odd last bit keeps the second rounding on that side."""
    import numpy as np

    p = np.asarray(a, np.float64) * np.asarray(b, np.float64)
    c = np.asarray(c, np.float64)
    total = p + c
    back = total - p
    error = (p - (total - back)) + (c - back)
    total, error = np.broadcast_arrays(total, error)
    bits = np.ascontiguousarray(total).view(np.int64)
    even = (bits & 1 == 0) & (error != 0) & np.isfinite(total)
    # Towards the true value: away from zero where the error has the sign of the sum, else towards it.
    step = np.where(np.signbit(error) == np.signbit(total), 1, -1)
    odd: np.ndarray = np.where(even, bits + step, bits).view(np.float64)
    return odd.astype(np.float32)


def rounded(v: np.ndarray, low: int, high: int) -> np.ndarray:
    """float32 numbers as the whole numbers of a map, uint8, within `low` and `high`."""
    import numpy as np

    whole: np.ndarray = np.clip(np.rint(v), low, high)
    return whole.astype(np.uint8)


def limits(low: float, high: float, scale: Scale) -> tuple[int, int]:
    """The numbers of a map between which a layer that clamps real numbers from `low` to `high` leaves it."""
    import numpy as np

    def number(real: float) -> int:
        return int(np.clip(np.rint(np.clip(real / scale.scale, -1e6, 1e6) + scale.zero_point), 0, LARGEST))

    return number(low), number(high)


def whole_bias(bias: np.ndarray, scales: np.ndarray, x: Scale) -> np.ndarray:
    """A bias, float32, of a layer whose weight has these scales and which reads a map of scale `x`, brought to the nearest
    multiple of what one unit of the sums stands for; where an int32 has room for how many. So formats that add biases to sums, as
    ONNX does, have the same one."""
    import numpy as np

    unit = scales.astype(np.float64) * x.scale
    count = np.rint(bias.astype(np.float64) / unit)
    near: np.ndarray = np.where(np.abs(count) < MOST_IN_BIAS, count * unit, bias).astype(np.float32)
    return near


def quantized_weight(weight: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """A weight whose first axis is the output channels, as whole numbers, int8, and the scale of each channel,
    float32; a channel of zeros, or of numbers below `NOTHING`, has a scale of one."""
    import numpy as np

    largest = np.abs(weight.reshape(len(weight), -1)).max(axis=1).astype(np.float64)
    scales = np.where(largest >= NOTHING, largest / LARGEST_WEIGHT, 1.0).astype(np.float32)
    wide = scales.astype(np.float64).reshape(-1, *(1,) * (weight.ndim - 1))
    return np.clip(np.rint(weight / wide), -LARGEST_WEIGHT, LARGEST_WEIGHT).astype(np.int8), scales
