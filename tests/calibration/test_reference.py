"""The reference for quantised networks, `cnndsl/calibration/reference.py`, beside its definition in whole numbers."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from cnndsl import parse
from cnndsl.arrays.drawn import drawn_inputs, drawn_weights
from cnndsl.calibration.calibrate import quantize
from cnndsl.calibration.reference import outputs, to_torch
from cnndsl.calibration.rescaled import finished
from cnndsl.calibration.sums import Sums
from cnndsl.ir.window import Window
from cnndsl.quantization.arithmetic import fma, rounded
from cnndsl.quantization.rescaling import Rescaling


def test_sums_are_exact_beyond_what_float32_has() -> None:
    """Of 9 · 600 products a sum has up to 26 bits."""
    draw = np.random.default_rng(0)
    q = draw.integers(0, 256, (2, 600, 5, 5))
    weight = draw.integers(100, 128, (4, 600, 3, 3))
    window = Window((3, 3), (1, 1), (1, 1), (0, 0), (1, 1))
    found = Sums(torch.tensor(weight, dtype=torch.int8), 0, window)(torch.tensor(q)).numpy()
    wide = np.pad(q, ((0, 0), (0, 0), (1, 0), (1, 0)))
    windows = np.lib.stride_tricks.sliding_window_view(wide, (3, 3), axis=(2, 3))
    expected = np.einsum("nchwij,ocij->nohw", windows, weight)
    assert expected.max() > 2**25
    np.testing.assert_array_equal(found, expected.astype(np.float32))


@pytest.mark.parametrize("rounds", [True, False])
def test_results_are_rounded_as_defined_also_where_they_lie_in_the_middle(rounds: bool) -> None:
    draw = np.random.default_rng(1)
    for trial in range(60):
        channels = int(draw.integers(1, 9))
        sums = draw.integers(-200_000, 200_000, (2, channels, 7, 5)).astype(np.float32)
        factor = (10.0 ** draw.uniform(-5, -2, channels)).astype(np.float32)
        offset = draw.uniform(-300, 300, channels).astype(np.float32)
        if trial % 3 == 0:
            # Powers of two, and halves: many results lie exactly between two numbers.
            factor[:], offset = 2.0**-10, (np.round(offset * 2) / 2).astype(np.float32)
        residuals = [draw.integers(0, 256, sums.shape).astype(np.uint8) for _ in range(trial % 3)]
        factors = tuple(np.float32(0.5 if trial % 2 else draw.uniform(0.1, 2)) for _ in residuals)
        v = fma(sums, factor[:, None, None], offset[:, None, None])
        for r, f in zip(residuals, factors, strict=True):
            v = fma(r.astype(np.float32), f, v)
        expected = rounded(v, 3, 250) if rounds else np.clip(v, 3, 250)
        after = Rescaling(factor, offset, factors, 3, 250)
        found = finished(torch.from_numpy(sums), [torch.from_numpy(r) for r in residuals], after, rounds)
        np.testing.assert_array_equal(found.numpy(), expected)


def test_a_small_network_gives_what_the_definition_gives_by_hand() -> None:
    """A convolution with a residual and an activation, a mean and a fully connected layer, in plain loops of whole numbers."""
    text = "input 2×4×5\nadd{ conv: Conv3x3(2) | id } → ReLU → GlobalAvgPool → Flatten → fc: FC(3)"
    graph = parse(text).graph
    inputs = drawn_inputs(graph, 0)
    table = quantize(graph, drawn_weights(graph, 0), inputs, {}).quantization
    name = graph.inputs[0].name
    x, y, mean = table.maps[name], table.maps["1"], table.maps["2"]
    conv, fc = table.weights["conv"], table.weights["fc"]

    def f32(number: float) -> np.float32:
        return np.float32(number)

    def fused(a: float, b: float, c: float) -> float:
        return float(fma(np.array([a], np.float32), f32(b), f32(c))[0])

    q = x.quantized(inputs[name])[0].astype(int)
    padded = np.pad(q - x.zero_point, ((0, 0), (1, 1), (1, 1)))
    pooled = []
    for channel in range(2):
        whole = 0
        ratio = np.float64(x.scale) / y.scale
        factor = np.float64(x.scale) * np.float64(conv.scales[channel]) / y.scale
        offset = np.float64(conv.bias[channel]) / y.scale + y.zero_point - x.zero_point * ratio
        for row in range(4):
            for column in range(5):
                seen = padded[:, row : row + 3, column : column + 3]
                v = fused(int((seen * conv.numbers[channel].astype(int)).sum()), factor, offset)
                v = fused(q[channel, row, column], ratio, v)
                whole += int(np.clip(np.rint(v), y.zero_point, 255)) - y.zero_point
        v = fused(whole, np.float64(y.scale) / 20 / mean.scale, mean.zero_point)
        pooled.append(int(np.clip(np.rint(v), 0, 255)))
    expected = []
    for unit in range(3):
        total = sum((p - mean.zero_point) * int(w) for p, w in zip(pooled, fc.numbers[unit], strict=True))
        expected.append(fused(total, np.float64(mean.scale) * np.float64(fc.scales[unit]), float(fc.bias[unit])))
    assert outputs(graph, table, inputs)["fc"][0].tolist() == [float(v) for v in expected]


def test_the_module_takes_what_the_network_takes() -> None:
    graph = parse("input a: 2×4×4\ninput b: 2×4×4\nadd{ a → Conv3x3(2) | b } → Conv1x1(3)").graph
    inputs = drawn_inputs(graph, 0)
    module = to_torch(graph, quantize(graph, drawn_weights(graph, 0), inputs, {}).quantization)
    a, b = (torch.from_numpy(array) for array in inputs.values())
    assert torch.equal(module(a, b), module(b=b, a=a))
    assert module(a, b).shape == (len(a), 3, 4, 4)
    with pytest.raises(TypeError, match="it takes 2 tensors"):
        module(a)
