"""Whole-number sums by PyTorch's convolutions and matrix products, exact although they are computed in float."""

from __future__ import annotations

import platform
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from cnndsl.backends.pytorch.library import nn, torch
from cnndsl.calibration.product import convolution
from cnndsl.ir.window import Window
from cnndsl.quantization.arithmetic import LARGEST

_EXACT = 1 << 24
"""Up to here float32 has every whole number, so that any order of additions gives the exact sum."""


class Sums:
    """The sums of a layer with whole-number weights `(out, in / groups, *kernel)` over maps less their zero point.

    Input channels are taken in parts so small that no sum can exceed what float32 has exactly; the parts are then added in
    float64. Where PyTorch's float32 may not be trusted with that, all is computed in float64.
    """

    def __init__(self, weight: Any, zero_point: int, window: Window | None = None, groups: int = 1) -> None:
        self._window = window
        self._groups = groups
        parts = _parts(weight, max(zero_point, LARGEST - zero_point)) if _sums_products() else None
        # The parts of a layer in groups would not be neighbouring channels.
        self._parts = 1 if parts is None or (groups > 1 and parts > 1) else parts
        self._dtype = torch.float32 if parts == self._parts else torch.float64
        self._weight = weight.to(self._dtype)

    def __call__(self, x: Any) -> Any:
        """From maps less their zero point, `(n, in, *size)` of any type, to `(n, out, *size)` float32: each exact sum rounded
        once."""
        x = x.to(self._dtype)
        if self._parts == 1:
            return self._linear(x, self._weight).float()
        width = -(-self._weight.shape[1] // self._parts)
        total: Any = 0.0
        for start in range(0, self._weight.shape[1], width):
            part = slice(start, start + width)
            total = total + self._linear(x[:, part], self._weight[:, part].contiguous()).double()
        return total.float()

    def _linear(self, x: Any, weight: Any) -> Any:
        if self._window is None:
            return nn.functional.linear(x, weight)
        with _plain():
            return convolution(x, weight, None, self._window, self._groups)


def _parts(weight: Any, largest: int) -> int | None:
    """Into how many parts the input channels are divided; None where one channel alone may exceed float32."""
    flat = weight.to(torch.int64).abs()
    channels = weight.shape[1]
    for parts in range(1, channels + 1):
        width = -(-channels // parts)
        starts = range(0, channels, width)
        most = max(int(flat[:, start : start + width].flatten(1).sum(1).max()) for start in starts)
        if most * largest <= _EXACT:
            return parts
    return None


def _sums_products() -> bool:
    """Whether PyTorch's convolutions and matrix products in float32 add the products themselves. oneDNN's do on x86, unless
    it is told to round factors; elsewhere a library may transform the numbers first (Winograd), which is not exact."""
    return platform.machine().lower() in ("x86_64", "amd64") and torch.get_float32_matmul_precision() == "highest"


@contextmanager
def _plain() -> Iterator[None]:
    """Without NNPACK, whose convolutions transform the numbers."""
    before = torch.backends.nnpack.set_flags(False)
    try:
        yield
    finally:
        torch.backends.nnpack.set_flags(*before)
