"""The arithmetic of quantised networks: `cnndsl/quantization/arithmetic.py` and `functions.py`."""

from __future__ import annotations

import ctypes
import ctypes.util

import numpy as np
import torch

from cnndsl.ops.gelu import GELU
from cnndsl.ops.hard_swish import HardSwish
from cnndsl.ops.silu import SiLU
from cnndsl.quantization.arithmetic import Scale, fma, limits, quantized_weight, whole_bias
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


def test_zero_points_are_even_and_no_number_is_further_off_than_half_a_step() -> None:
    draw = np.random.default_rng(0)
    for _ in range(300):
        low, high = -draw.exponential() * draw.choice([0, 0.01, 1]), draw.exponential() * draw.choice([0.01, 1])
        scale = Scale.over(low, high)
        assert scale.zero_point % 2 == 0
        assert scale.scale <= 1.005 * (high - low) / 255
        ends = np.array([low, high], np.float32)
        assert np.abs(scale.real(scale.quantized(ends)) - ends).max() <= 0.5001 * scale.scale


def test_a_number_in_the_middle_is_rounded_as_onnx_rounds_it() -> None:
    scale = Scale(0.25, 102)
    x = np.arange(-100, 100, dtype=np.float32) * np.float32(0.125)
    assert np.array_equal(scale.quantized(x), np.clip(np.rint(x / np.float32(0.25)) + 102, 0, 255))


def test_biases_are_multiples_of_the_unit_of_sums() -> None:
    bias, scales = np.array([0.1, -7.3, 1e20], np.float32), np.array([0.01, 0.002, 1e-9], np.float32)
    x = Scale(0.05, 0)
    near, unit = whole_bias(bias, scales, x), scales.astype(np.float64) * x.scale
    counts = near[:2] / unit[:2]
    np.testing.assert_allclose(counts, np.rint(counts), rtol=1e-6)
    assert (np.abs(near - bias)[:2] <= unit[:2] / 2 * 1.001).all()
    assert near[2] == bias[2]


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
