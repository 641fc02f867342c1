"""Resampling one axis: which inputs an output position is made of, and with which weights. Exact, as PyTorch computes it.

An axis of `n` positions becomes one of `m`. Output `o` lies at a *place* on the input's axis, a fraction; `nearest` takes
the input there, `linear` mixes the two around it, `bicubic` four.
"""

from __future__ import annotations

import struct
from fractions import Fraction
from math import floor
from typing import Literal, NamedTuple

from cnndsl.ir.reach import Number, Reach

Mixing = Literal["nearest", "linear", "bicubic"]

TAPS: dict[Mixing, int] = {"nearest": 1, "linear": 2, "bicubic": 4}
"""How many inputs an output mixes on one axis."""

_MOST_CHECKED = 2**16
_CUBIC = -0.75
"""The coefficient of the cubic kernel (Keys, 1981), as PyTorch has it."""


class Tap(NamedTuple):
    """One input position for every output position of an axis, and its weight there."""

    positions: list[int]
    weights: list[float]


class ResampledAxis(NamedTuple):
    """One axis of `n` positions that becomes one of `m`.

    `factor` is what the size was multiplied by; None where a size was asked for. With `align` the middles of the first and
    last positions stay where they are, else the edges of the map.
    """

    n: int
    m: int
    mixing: Mixing
    align: bool = False
    factor: float | None = None

    @property
    def stays(self) -> bool:
        """Whether every output is the input at its own position."""
        return self.step == 1 and self.n == self.m

    @property
    def step(self) -> Fraction:
        """Input positions from one output position to the next."""
        if self.align:
            return Fraction(self.n - 1, self.m - 1) if self.m > 1 else Fraction(0)
        # A factor such as 1.1 may leave few positions as they are: where it mixes two neighbours, PyTorch then copies.
        if self.factor is None or (self.n == self.m and self.mixing == "linear"):
            return Fraction(self.n, self.m)
        return 1 / Fraction(str(self.factor))

    @property
    def start(self) -> Fraction:
        """The place of output 0, for `linear` and `bicubic`."""
        return Fraction(0) if self.align else (self.step - 1) / 2

    @property
    def nearest(self) -> list[int]:
        """The nearest input of each output position. On its way it is rounded twice to float32, as PyTorch does, which
        for some sizes moves it by one."""
        ratio = _single(1 / self.factor if self.factor else self.n / self.m)
        return [min(int(_single(o * ratio)), self.n - 1) for o in range(self.m)]

    @property
    def rounds_exactly(self) -> bool:
        """Whether float32 finds `floor(o·step)` everywhere."""
        if self.m > _MOST_CHECKED:
            return False
        step = self.step
        return self.nearest == [min(floor(o * step), self.n - 1) for o in range(self.m)]

    def reach(self, number: int) -> Reach:
        """What the output's positions see of this axis, which is the input's axis `number` behind the channels."""
        if self.n == 1:
            return Reach(1 if self.m == 1 else 0, 0, 0, number)
        fraction = self.step
        p, q = fraction.numerator, fraction.denominator
        step: Number = p if q == 1 else fraction
        if self.mixing == "nearest":
            first, last = (Fraction(1 - q, q), 0) if self.rounds_exactly else (-1, 1)
            return Reach(step, first, last, number, even=q == 1 and self.rounds_exactly)
        # Over the outputs, the fractions of the places are the multiples of 1/q from `least` on: all neighbours lie
        # within `margin` of the place, and at a whole place only the input there counts.
        least = Fraction(0) if self.align else Fraction((p - q) % 2, 2 * q)
        margin = max(1 - (Fraction(1, q) - least), Fraction(0))
        if self.mixing == "bicubic" and margin:
            margin += 1
        return Reach(step, self.start - margin, self.start + margin, number, even=q == 1)

    def taps(self) -> list[Tap]:
        """What each output position is made of: the sum over the taps of an input times its weight."""
        if self.mixing == "nearest":
            return [Tap(self.nearest, [1.0] * self.m)]
        step, start = self.step, self.start
        places = [o * step + start for o in range(self.m)]
        if self.mixing == "linear":
            places = [max(place, Fraction(0)) for place in places]
        parts = [float(place - floor(place)) for place in places]
        weight = _cubic if self.mixing == "bicubic" else _linear
        return [
            Tap(
                [min(max(floor(place) + offset, 0), self.n - 1) for place in places],
                [weight(abs(offset - part)) for part in parts],
            )
            for offset in (range(-1, 3) if self.mixing == "bicubic" else range(2))
        ]


def _linear(distance: float) -> float:
    """How much a neighbour at this distance counts."""
    return 1 - distance


def _cubic(distance: float) -> float:
    """How much a neighbour at this distance counts: two polynomials, for the inner and the outer neighbours."""
    d, a = distance, _CUBIC
    if d <= 1:
        return ((a + 2) * d - (a + 3)) * d * d + 1
    return ((d - 5) * d + 8) * d * a - 4 * a


def _single(value: float) -> float:
    """Rounded to float32."""
    return float(struct.unpack("f", struct.pack("f", value))[0])
