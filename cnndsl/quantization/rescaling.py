"""The factors, offsets and bounds by which whole-number sums become the numbers of a result.

They are computed here alone, in float64 and in one order of operations, and rounded to float32 once: whoever computes a
quantised network takes them from here, so that all compute the same bits.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cnndsl.quantization.arithmetic import REAL, Scale, limits

if TYPE_CHECKING:
    import numpy as np


@dataclass(frozen=True, eq=False)
class Rescaling:
    """What a layer does with its sums: `v = fma(float32(sums), factor, offset)`, `v = fma(float32(r), f, v)` for each residual
    `r` and its factor `f`, and then the bounds."""

    factor: np.ndarray
    """float32: one number for each output channel, or one for all (of no axis)."""
    offset: np.ndarray
    """float32: one number for each output channel, or one for all (of no axis)."""
    residuals: tuple[np.float32, ...]
    low: float
    high: float
    """Whole numbers, between which `rint(v)` is brought, where the result is a map; else real numbers, for `v` itself, infinite
    where there is no bound."""


def rescaling(
    factor: np.ndarray | float,
    summand: np.ndarray | float,
    residuals: Sequence[Scale],
    y: Scale | None,
    clamp: tuple[float, float],
) -> Rescaling:
    """From real numbers to a map of scale `y`, or to real numbers where `y` is None.

    `factor` and `summand`, in float64, are what the sums must be multiplied by to be real numbers, and what is then added.
    `residuals` are the scales of the maps that are added, and `clamp` the real bounds of the result.
    """
    import numpy as np

    to = y or REAL
    scale = np.float64(to.scale)
    offset = np.asarray(summand, np.float64) / scale + to.zero_point
    factors = [np.float64(r.scale) / scale for r in residuals]
    for r, f in zip(residuals, factors, strict=True):
        offset = offset - r.zero_point * f
    low, high = clamp if y is None else limits(*clamp, y)
    with np.errstate(over="ignore", under="ignore"):
        return Rescaling(
            (np.asarray(factor, np.float64) / scale).astype(np.float32),
            np.asarray(offset).astype(np.float32),
            tuple(f.astype(np.float32) for f in factors),
            low,
            high,
        )
