"""Pointwise layers in float64, for the tables by which quantised networks compute them."""

from __future__ import annotations

from typing import Any

from cnndsl.ir.op import Op
from cnndsl.quantization.arithmetic import LARGEST, Scale


class _Words:
    """The words of TVM's expressions that `Op.pointwise` uses, over NumPy's float64."""

    def __init__(self) -> None:
        import numpy as np

        self._np = np
        self.min, self.max, self.exp, self.log1p, self.tanh = np.minimum, np.maximum, np.exp, np.log1p, np.tanh
        self.abs, self.sqrt, self.log, self.floor = np.abs, np.sqrt, np.log, np.floor
        self.sin, self.cos, self.power = np.sin, np.cos, np.power
        self.Select = np.where

    def const(self, number: float, dtype: str) -> Any:
        """The number as float32 has it, which is what the layer computes with."""
        return self._np.float64(self._np.dtype(dtype).type(number))

    def sigmoid(self, x: Any) -> Any:
        return 1 / (1 + self._np.exp(-x))

    def erf(self, x: Any) -> Any:
        from math import erf

        return self._np.vectorize(erf, otypes=[float])(x)


def table(op: Op, x: Scale, y: Scale) -> Any:
    """For each number of a map of scale `x` the number of the pointwise layer's result, of scale `y`: 256 uint8."""
    import numpy as np

    q = np.arange(LARGEST + 1, dtype=np.float64)
    with np.errstate(all="ignore"):
        real = np.asarray(op.pointwise(_Words(), (q - x.zero_point) * np.float64(x.scale)), np.float64)
    # What is not a number (a logarithm below zero) is stored as zero is.
    real = np.nan_to_num(real, nan=0.0, posinf=1e30, neginf=-1e30)
    return np.clip(np.rint(real / np.float64(y.scale) + y.zero_point), 0, LARGEST).astype(np.uint8)
