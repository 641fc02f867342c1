"""What is done to the sums of a kernel on whole numbers on their way to memory: `quantization/arithmetic.py`, for the
positions of a tile.

The quads of four neighbours of a chunk fill a register, and leave in one register; where the width of a tile is no multiple of four,
the last four overlap the ones before.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from math import inf, prod
from typing import TYPE_CHECKING, Any, Literal

from cnndsl.backends.tvm.kernels.words.quads import QuadNest
from cnndsl.quantization.arithmetic import LARGEST

if TYPE_CHECKING:
    import numpy as np

Place = tuple[Any, ...]
"""The index of a position: example, chunk, and the place on each axis."""


@dataclass(frozen=True)
class Ending:
    """From sums to quads, or to real numbers, float32."""

    residuals: int = 0
    """Maps of quads that are added."""
    low: float = 0
    high: float = LARGEST
    """The clamp: of whole numbers, or of real ones where the result is `real`."""
    real: bool = False
    table: bool = False
    """Whether each number, once clamped, is replaced by what a table has for it."""
    bounded: bool = False
    """Whether all numbers are sure to lie within ±2³¹ before they are clamped: `is_bounded`."""


@dataclass(frozen=True)
class Endings:
    """The arguments of an ending in a function under construction."""

    ending: Ending
    n: QuadNest
    shape: tuple[int, ...]
    """Of the result: `(batch, chunks, *size)`."""
    factors: Any
    offsets: Any
    residual_factors: Any
    residuals: list[Any]
    table: Any
    result: Any
    memory: Any = None
    """The result with one axis, once it is opened."""

    @classmethod
    def declared(cls, n: QuadNest, ending: Ending, shape: tuple[int, ...]) -> Endings:
        """Declares the last arguments of a kernel, in this order: factors and offsets `(chunks, lanes)`; with residuals
        their factors `(residuals,)` and the maps, quads `(*shape, lanes / 4)`; with a table 256 numbers as quads `(64,)`; the
        result, quads `(*shape, lanes / 4)` or float32 `(*shape, lanes)`."""
        factors = n.argument("factors", (shape[1], n.lanes))
        offsets = n.argument("offsets", (shape[1], n.lanes))
        many = ending.residuals
        residual_factors = n.argument("residual_factors", (many,)) if many else None
        residuals = [n.whole(f"residual{i}", (*shape, n.quads)) for i in range(many)]
        table = n.whole("table", (LARGEST // 4 + 1,)) if ending.table else None
        result = n.argument("result", (*shape, n.lanes)) if ending.real else n.whole("result", (*shape, n.quads))
        return cls(ending, n, shape, factors, offsets, residual_factors, residuals, table, result)

    def opened(self) -> Endings:
        """To be called before results are stored, behind all arguments."""
        return replace(self, memory=self.n.flat(self.result))

    def flat(self) -> Endings:
        """Opened, with one axis for all positions."""
        n, shape = self.n, (*self.shape[:2], prod(self.shape[2:]))
        residuals = [n.reshaped(r, (*shape, n.quads)) for r in self.residuals]
        result = n.reshaped(self.result, (*shape, n.lanes if self.ending.real else n.quads))
        return replace(self.opened(), shape=shape, residuals=residuals, result=result)

    def store(
        self,
        sums: Callable[[int], Any],
        width: int,
        place: Callable[[int], Place],
        begin: Literal["sums", "exact", "offsets"] = "sums",
    ) -> None:
        """Stores `width` neighbours on the last axis: `sums(i)` is the register of sums of the i-th, `place(i)` its
        place. Sums may be `exact` as float32 numbers, or none, where a result begins with its offsets."""
        n, e = self.n, self.ending
        chunk = place(0)[1]
        factors, offsets = (n.bind(v[chunk, n.ramp(0)]) for v in (self.factors, self.offsets))

        def value(i: int) -> Any:
            v = offsets
            if begin == "sums":
                v = n.real(sums(i), factors, offsets)
            elif begin == "exact":
                v = n.fma(sums(i), factors, offsets)
            for at, residual in enumerate(self.residuals):
                numbers = n.widened(residual[(*place(i), n.position())])
                v = n.real(numbers, n.spread(self.residual_factors[at]), v)
            return v

        if e.real:
            for i in range(width):
                n.store(self.result, self._clamped(value(i), e.low, e.high), (*place(i), n.ramp(0)))
            return
        # Beyond 2³¹ the instruction that rounds gives the smallest of all whole numbers.
        high = inf if e.bounded else LARGEST
        whole = [n.bind(n.rounded(self._clamped(value(i), -inf, high))) for i in range(width)]
        for first, together in neighbours(width):
            found = n.packed4(*whole[first : first + 4]) if together == 4 else n.packed1(whole[first])
            start = 0
            for size, index in zip((*self.shape, n.quads), (*place(first), 0), strict=True):
                start = start * size + index
            n.store(self.memory, self.finished(found, together), (n.run(start, n.quads * together),))

    def finished(self, found: Any, positions: int) -> Any:
        """Quads of 1 or 4 positions, clamped and looked up."""
        n, e = self.n, self.ending
        if e.low > 0:
            found = n.larger(found, n.several(n.quad(int(e.low)), positions), positions)
        if e.high < LARGEST:
            found = n.smaller(found, n.several(n.quad(int(e.high)), positions), positions)
        return n.looked_up(found, self.table, positions) if e.table else found

    def _clamped(self, value: Any, low: float, high: float) -> Any:
        n = self.n
        if low > -inf:
            value = n.tir.max(value, n.spread(n.number(low)))
        return n.tir.min(value, n.spread(n.number(high))) if high < inf else value


def neighbours(width: int) -> list[tuple[int, int]]:
    """Positions that leave together: (first, 4), the last ones over the ones before where need be; (position, 1) where
    there are fewer than four."""
    if width < 4:
        return [(i, 1) for i in range(width)]
    return [(i, 4) for i in range(0, width - 3, 4)] + ([(width - 4, 4)] if width % 4 else [])


def is_bounded(sums: np.ndarray | int, factors: np.ndarray, offsets: np.ndarray, residuals: Sequence[float]) -> bool:
    """Whether numbers are sure to lie within ±2³¹ before they are clamped: `sums` are at most the sums, by channel or
    of all, and `residuals` the factors of the residuals."""
    import numpy as np

    largest = np.abs(factors.astype(np.float64)) * np.asarray(sums, np.float64) + np.abs(offsets.astype(np.float64))
    largest = largest + LARGEST * sum(map(abs, residuals))
    # Each rounding to float32 adds less than one part in 2²³.
    return bool(largest.max(initial=0) < 2**31 * (1 - 2**-20))
