"""From whole-number sums to the numbers of a result, in PyTorch and bit by bit as `quantization/arithmetic.py` has it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from cnndsl.backends.pytorch.library import torch
from cnndsl.quantization.arithmetic import LARGEST, Scale, fma
from cnndsl.quantization.rescaling import Rescaling

if TYPE_CHECKING:
    Array = np.ndarray


def quantized(x: Any, scale: Scale, exact: bool = True) -> Any:
    """Real numbers, float32, as the numbers of a map, uint8."""
    inverse = np.asarray(1 / np.float64(scale.scale), np.float32)
    offset = np.asarray(scale.zero_point, np.float32)
    return finished(x, [], Rescaling(inverse, offset, (), 0, LARGEST), True, exact)


def finished(sums: Any, residuals: list[Any], after: Rescaling, rounds: bool, exact: bool = True) -> Any:
    """What a group makes of its sums, float32, and of the maps that it adds: a map, uint8, or real numbers.

    PyTorch has no `fma`. What its two roundings give is off by a few units of the last place, which changes a whole number only
    where it lies so near the middle between two; with `exact` those few are computed again as they are defined.
    """
    if not rounds:
        v = torch.from_numpy(_exactly(sums, residuals, after, None))
        return v.clamp_(after.low, after.high)
    factor, offset = _along(after.factor, sums), _along(after.offset, sums)
    v = torch.addcmul(offset, sums, factor)
    for r, f in zip(residuals, after.residuals, strict=True):
        v.add_(r.float(), alpha=float(f))
    whole = v.round()
    if exact:
        # Halfway is 0.5 away from the number that was rounded to.
        places = (v.sub_(whole).abs_() > 0.5 - _doubt(after)).nonzero(as_tuple=True)
        if len(places[0]):
            whole[places] = torch.from_numpy(np.rint(_exactly(sums, residuals, after, places)))
    return whole.clamp_(after.low, after.high).to(torch.uint8)


def _doubt(after: Rescaling) -> float:
    """How far a result that lies between 0 and 255 may be off after two roundings for each `fma`: each is of a number no larger
    than what has been added up, and what is still to come."""
    largest = float(np.abs(after.offset).max()) + sum(LARGEST * abs(float(f)) for f in after.residuals) + 2 * LARGEST
    return min(0.5, 2.0**-22 * (2 + 2 * len(after.residuals)) * largest)


def _exactly(sums: Any, residuals: list[Any], after: Rescaling, places: Any) -> Array:
    """The value before it is rounded, of all results or of those at some places."""

    def at(value: Any) -> Array:
        chosen: Array = (value if places is None else value.expand_as(sums)[places]).numpy()
        return chosen

    v = fma(at(sums), at(_along(after.factor, sums)), at(_along(after.offset, sums)))
    for r, f in zip(residuals, after.residuals, strict=True):
        v = fma(at(r).astype(np.float32), f, v)
    return v


def _along(numbers: Array, value: Any) -> Any:
    """A number for each channel, or one for all, in the shape that meets a batched value."""
    return torch.from_numpy(numbers.reshape(-1, *(1,) * (value.dim() - 2)) if numbers.ndim else numbers.reshape(1))
