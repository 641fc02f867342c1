"""The arithmetic of quantised networks: `cnndsl/quantization/arithmetic.py` and `functions.py`."""

from __future__ import annotations

import ctypes
import ctypes.util

import numpy as np
import torch

from cnndsl.ops.gelu import GELU
from cnndsl.ops.hard_swish import HardSwish
from cnndsl.ops.silu import SiLU
from cnndsl.quantization.arithmetic import Scale, fma, limits, quantized_weight
from cnndsl.quantization.functions import table


def test_fma_rounds_once_as_the_c_library_does() -> None:
    draw = np.random.default_rng(0)
    a, b = draw.standard_normal((2, 20_000)).astype(np.float32)
    nearly = a * b * (1 + draw.standard_normal(20_000) * 2.0 ** -draw.integers(0, 40, 20_000))
    c = np.where(draw.random(20_000) < 0.7, -nearly, draw.standard_normal(20_000) * 1e-8).astype(np.float32)
    exact = ctypes.CDLL(ctypes.util.find_library("m")).fmaf
    exact.restype, exact.argtypes = ctypes.c_float, [ctypes.c_float] * 3
    expected = np.array([exact(*numbers) for numbers in zip(a, b, c, strict=True)], np.float32)
    np.testing.assert_array_equal(fma(a, b, c), expected)


def test_zero_is_exact_in_every_scale() -> None:
    for low, high in ((-1.3, 2.7), (0.5, 3.0), (-4.0, -1.0), (0.0, 0.0)):
        scale = Scale.over(low, high)
        assert scale.real(scale.quantized(np.zeros(1, np.float32)))[0] == 0
        assert 0 <= scale.zero_point <= 255


def test_quantised_numbers_are_those_of_torch() -> None:
    x = torch.randn(5000, generator=torch.Generator().manual_seed(0)) * 2
    scale = Scale.over(-5.0, 6.0)
    theirs = torch.fake_quantize_per_tensor_affine(x, scale.scale, scale.zero_point, 0, 255).numpy()
    ours = scale.real(scale.quantized(x.numpy()))
    # Where a number lies in the middle between two, torch, which rounds the product first, may take the other.
    assert (ours != theirs).mean() < 1e-3
    assert np.abs(ours - theirs).max() <= np.float32(scale.scale) * 1.001


def test_weights_use_all_numbers_but_the_smallest() -> None:
    weight = np.array([[0.5, -1.0, 0.25], [0.0, 0.0, 0.0], [3.0, 1.0, -3.0]], np.float32)
    numbers, scales = quantized_weight(weight)
    assert numbers.tolist() == [[64, -127, 32], [0, 0, 0], [127, 42, -127]]
    assert scales.tolist() == [np.float32(1 / 127), 1.0, np.float32(3 / 127)]


def test_limits_of_a_clamp_are_numbers_of_the_map() -> None:
    scale = Scale.over(-1.0, 4.1)
    assert limits(0.0, float("inf"), scale) == (scale.zero_point, 255)
    assert limits(0.0, 2.0, scale) == (50, 150)


def test_tables_are_torchs_functions_rounded() -> None:
    x, y = Scale.over(-6.0, 6.0), Scale.over(-0.4, 6.0)
    real = torch.from_numpy(x.real(np.arange(256, dtype=np.uint8))).double()
    for op, function in (
        (SiLU(), torch.nn.functional.silu),
        (HardSwish(), torch.nn.functional.hardswish),
        (GELU(), torch.nn.functional.gelu),
    ):
        expected = torch.clamp(torch.round(function(real) / y.scale + y.zero_point), 0, 255)
        assert np.abs(table(op, x, y).astype(int) - expected.numpy()).max() <= 1
        assert (table(op, x, y) != expected.numpy()).sum() <= 2
