"""The arithmetic of `quantization/arithmetic.py` in NumPy, step by step as it is defined, and maps as quads."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from cnndsl.backends.tvm.kernels.words.ending import Ending, is_bounded
from cnndsl.backends.tvm.kernels.words.packing import pack_vector
from cnndsl.backends.tvm.kernels.words.quads import numbers, quads
from cnndsl.backends.tvm.library import load_tvm
from cnndsl.backends.tvm.target import find_cpu
from cnndsl.ir.window import Window
from cnndsl.quantization.arithmetic import fma, rounded


def as_quads(q: np.ndarray, lanes: int, junk: int = 0) -> np.ndarray:
    """uint8 `(batch, channels, *size)` → quads `(batch, chunks, *size, lanes / 4)`; channels that are none hold `junk`."""
    pads = [(0, 0), (0, -q.shape[1] % lanes), *((0, 0) for _ in q.shape[2:])]
    filled = np.pad(q, pads, constant_values=junk)
    parts = filled.reshape(len(q), -1, lanes, *q.shape[2:])
    return quads(np.moveaxis(parts, 2, -1), -1)


def as_numbers(made: np.ndarray, channels: int) -> np.ndarray:
    """Quads `(batch, chunks, *size, lanes / 4)`, or float32 `(…, lanes)` → `(batch, channels, *size)`."""
    last = numbers(made) if made.dtype == np.int32 else made
    found = np.moveaxis(last, -1, 2)
    return found.reshape(len(made), -1, *found.shape[3:])[:, :channels]


def convolved(q: np.ndarray, weight: np.ndarray, zero_point: int, window: Window, groups: int = 1) -> np.ndarray:
    """The sums, exact: of numbers less the zero point, zero outside the map."""
    convolve = (torch.conv1d, torch.conv2d, torch.conv3d)[q.ndim - 3]
    x = torch.from_numpy(q.astype(np.float64) - zero_point)
    pads = [p for b, a in zip(window.before, window.after_filled(q.shape[2:]), strict=True) for p in (a, b)][::-1]
    x = torch.nn.functional.pad(x, pads)
    w = torch.from_numpy(weight.astype(np.float64))
    found: np.ndarray = convolve(x, w, stride=window.stride, dilation=window.dilation, groups=groups).numpy()
    kept: np.ndarray = found[window.kept(q.shape[2:])].astype(np.int32)
    return kept


@dataclass(frozen=True)
class Drawn:
    """Factors and all else that an ending needs, drawn so that results use the whole range and some are clamped."""

    factors: np.ndarray
    offsets: np.ndarray
    residual_factors: np.ndarray
    residuals: list[np.ndarray]
    table: np.ndarray
    zero_points: list[int]

    @classmethod
    def over(cls, r: np.random.Generator, sums: np.ndarray, residuals: int) -> Drawn:
        channels = sums.shape[1]
        largest = max(1, int(np.abs(sums).max()))
        factors = np.asarray(r.uniform(50, 200, channels) / largest, np.float32)
        offsets = np.asarray(r.uniform(-40, 250, channels), np.float32)
        maps = [r.integers(0, 256, sums.shape).astype(np.uint8) for _ in range(residuals)]
        return cls(
            factors,
            offsets,
            np.asarray(r.uniform(0.1, 1.5, residuals), np.float32),
            maps,
            r.permutation(256).astype(np.uint8),
            [0] * residuals,
        )

    def arguments(self, ending: Ending, lanes: int) -> list[np.ndarray]:
        """All between the starts and the result."""
        found = [pack_vector(self.factors, lanes), pack_vector(self.offsets, lanes)]
        if ending.residuals:
            found += [self.residual_factors, *(as_quads(q, lanes) for q in self.residuals)]
        return [*found, quads(self.table, 0)] if ending.table else found

    def expected(self, sums: np.ndarray, ending: Ending) -> np.ndarray:
        wide = (1, -1, *(1,) * (sums.ndim - 2))
        v = fma(sums.astype(np.float32), self.factors.reshape(wide), self.offsets.reshape(wide))
        for r, factor in zip(self.residuals, self.residual_factors, strict=True):
            v = fma(r.astype(np.float32), factor, v)
        if ending.real:
            return np.asarray(np.clip(v, np.float32(ending.low), np.float32(ending.high)))
        q = rounded(v, int(ending.low), int(ending.high))
        return np.asarray(self.table[q]) if ending.table else q

    def bounded(self, sums: np.ndarray) -> bool:
        return is_bounded(
            int(np.abs(sums.astype(np.int64)).max()), self.factors, self.offsets, list(self.residual_factors)
        )


def starts_of(weight: np.ndarray, zero_point: int, lanes: int) -> np.ndarray:
    """Starts where nothing lies outside."""
    sums = weight.astype(np.int64).reshape(len(weight), -1).sum(axis=1)
    return pack_vector((-zero_point * sums).astype(np.int32), lanes)


CPUS = {16: "llvm", 8: "llvm:alderlake", 4: "aarch64:neoverse-v1"}
"""By the sums in a register: this machine, and processors that have the instructions for fewer."""


def compiled(kernel: Any) -> Any:
    tvm = load_tvm()
    return tvm.compile(tvm.IRModule({"main": kernel.prim_func()}), find_cpu(CPUS[kernel.lanes]).target)["main"]


def ran(kernel: Any, arguments: Sequence[np.ndarray], shape: tuple[int, ...], real: bool = False) -> np.ndarray:
    """What the kernel makes, in memory that held something else."""
    tvm = load_tvm()
    dtype = np.float32 if real else np.int32
    result = tvm.runtime.tensor(np.full(shape, -7, dtype))
    compiled(kernel)(*(tvm.runtime.tensor(np.ascontiguousarray(a)) for a in arguments), result)
    found: np.ndarray = result.numpy()
    return found
