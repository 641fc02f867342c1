"""The transforms of Winograd's F(m, 3): m sums of three products from m + 2 multiplications.

`F(m, 3)` computes `y = Aᵀ [(G g) ⊙ (Bᵀ d)]` for m outputs y of a filter g of 3 taps over m + 2 inputs d; in two
dimensions every matrix is applied to columns, then to rows. The construction is Toom's and Cook's, which evaluates and
interpolates polynomials at points: 0, ±1, ∞ for m = 2, and 0, ±5/8, ±3/2, ∞ for m = 4. The usual 0, ±1, ±2, ∞ of
Lavin & Gray, "Fast Algorithms for Convolutional Neural Networks" (2015), lose two bits more: over 256 channels the
largest error is 9.5e-6 of the largest output, with ours 2.3e-6, and 1.2e-6 for plain sums. All numbers of `Bᵀ` and
`Aᵀ` are exact in float32; those of `G` are not, so weights are transformed in float64 and rounded once.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from cnndsl.backends.tvm.kernels.words.packing import fill_up

if TYPE_CHECKING:
    import numpy as np

Matrix = tuple[tuple[float, ...], ...]

_A, _B = 5 / 8, 3 / 2
_A2, _B2 = _A**2, _B**2


def _powers(point: float, scale: float) -> tuple[float, float, float]:
    return scale, scale * point, scale * point**2


INPUT: dict[int, Matrix] = {
    2: ((1, 0, -1, 0), (0, 1, 1, 0), (0, -1, 1, 0), (0, 1, 0, -1)),
    4: (
        (_A2 * _B2, 0, -_A2 - _B2, 0, 1, 0),
        (0, -_A * _B2, -_B2, _A, 1, 0),
        (0, _A * _B2, -_B2, -_A, 1, 0),
        (0, -_B * _A2, -_A2, _B, 1, 0),
        (0, _B * _A2, -_A2, -_B, 1, 0),
        (0, _A2 * _B2, 0, -_A2 - _B2, 0, 1),
    ),
}
"""`Bᵀ` by m: for each finite point the product of `x - q` over all others `q`, for ∞ over all."""

WEIGHT: dict[int, Matrix] = {
    2: ((1, 0, 0), (1 / 2, 1 / 2, 1 / 2), (1 / 2, -1 / 2, 1 / 2), (0, 0, 1)),
    4: (
        (1 / (_A2 * _B2), 0, 0),
        *(_powers(p, 1 / (2 * _A2 * (_A2 - _B2))) for p in (_A, -_A)),
        *(_powers(p, 1 / (2 * _B2 * (_B2 - _A2))) for p in (_B, -_B)),
        (0, 0, 1),
    ),
}
"""`G` by m: the powers of each point over its product of differences from all others."""

OUTPUT: dict[int, Matrix] = {
    2: ((1, 1, 1, 0), (0, 1, -1, -1)),
    4: (
        (1, 1, 1, 1, 1, 0),
        (0, _A, -_A, _B, -_B, 0),
        (0, _A2, _A2, _B2, _B2, 0),
        (0, _A**3, -(_A**3), _B**3, -(_B**3), 1),
    ),
}
"""`Aᵀ` by m: the powers of the points."""


def pack_winograd(weight: np.ndarray, m: int, lanes: int) -> np.ndarray:
    """`(out, in, 3, 3)` → `((m + 2)² · chunks_out · chunks · lanes, lanes)`, a row for each frequency, chunk out and
    channel in: `G g Gᵀ` of each filter, rounded to float32 once."""
    import numpy as np

    g, filled = np.asarray(WEIGHT[m], np.float64), fill_up(fill_up(weight, 0, lanes), 1, lanes)
    out, seen = filled.shape[:2]
    # G over rows, then over columns, as plain matrix products: (rows of G, 3) by (3, the rest).
    by_rows = g @ filled.astype(np.float64).transpose(2, 3, 0, 1).reshape(3, -1)
    both = g @ by_rows.reshape(m + 2, 3, -1).transpose(1, 0, 2).reshape(3, -1)
    frequencies = both.astype(np.float32).reshape(m + 2, m + 2, out // lanes, lanes, seen).transpose(1, 0, 2, 4, 3)
    return np.ascontiguousarray(frequencies).reshape(-1, lanes)


def input_transform(d: Sequence[Any], number: Any, bind: Any) -> list[Any]:
    """`Bᵀ d` with sums that two rows share taken once. `number` makes a constant, `bind` names an intermediate."""
    if len(d) == 4:
        return [d[0] - d[2], d[1] + d[2], d[2] - d[1], d[1] - d[3]]
    even, odd = bind(d[4] - number(_B2) * d[2]), bind(d[3] - number(_B2) * d[1])
    even2, odd2 = bind(d[4] - number(_A2) * d[2]), bind(d[3] - number(_A2) * d[1])
    return [
        number(_A2 * _B2) * d[0] - number(_A2 + _B2) * d[2] + d[4],
        even + number(_A) * odd,
        even - number(_A) * odd,
        even2 + number(_B) * odd2,
        even2 - number(_B) * odd2,
        number(_A2 * _B2) * d[1] - number(_A2 + _B2) * d[3] + d[5],
    ]


def output_transform(m: Sequence[Any], number: Any, bind: Any) -> list[Any]:
    """`Aᵀ m`, as `input_transform`."""
    if len(m) == 4:
        return [m[0] + m[1] + m[2], m[1] - m[2] - m[3]]
    sum1, difference1 = bind(m[1] + m[2]), bind(m[1] - m[2])
    sum2, difference2 = bind(m[3] + m[4]), bind(m[3] - m[4])
    return [
        m[0] + sum1 + sum2,
        number(_A) * difference1 + number(_B) * difference2,
        number(_A2) * sum1 + number(_B2) * sum2,
        number(_A**3) * difference1 + number(_B**3) * difference2 + m[5],
    ]
