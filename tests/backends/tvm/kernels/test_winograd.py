"""Guards `backends/tvm/kernels/winograd.py`, `backends/tvm/kernels/winograd_deep.py` and
`backends/tvm/kernels/winograd_transforms.py`. Against PyTorch's convolution, its transforms against the
definition of convolution.
"""

from __future__ import annotations

import random

import numpy as np
import pytest
import torch

from cnndsl.backends.tvm.kernels.choice import gemm_tile
from cnndsl.backends.tvm.kernels.winograd import Winograd
from cnndsl.backends.tvm.kernels.winograd_transforms import (
    INPUT,
    OUTPUT,
    WEIGHT,
    input_transform,
    output_transform,
    pack_winograd,
)
from cnndsl.backends.tvm.kernels.words.nest import parts
from cnndsl.backends.tvm.kernels.words.packing import pack_vector
from cnndsl.backends.tvm.library import load_tvm
from cnndsl.backends.tvm.target import find_cpu
from cnndsl.ir.window import Window
from cnndsl.ops.relu import ReLU

pytestmark = pytest.mark.tvm

BOUNDS = {2: 2e-6, 4: 6e-6}
"""Of the largest value, by m."""


@pytest.mark.parametrize("m", [2, 4])
def test_the_matrices_convolve(m: int) -> None:
    g, d = np.array([3.0, -5, 7]), np.arange(m + 2.0) ** 2 - 4
    y = np.array(OUTPUT[m]) @ ((np.array(WEIGHT[m]) @ g) * (np.array(INPUT[m]) @ d))
    assert y == pytest.approx(np.correlate(d, g), rel=1e-12)


@pytest.mark.parametrize("m", [2, 4])
def test_the_short_forms_are_the_matrices(m: int) -> None:
    d = [float(x) for x in np.random.default_rng(0).integers(-9, 9, m + 2)]
    assert input_transform(d, float, float) == list(np.array(INPUT[m]) @ d)
    assert output_transform(d, float, float) == list(np.array(OUTPUT[m]) @ d)


@pytest.mark.parametrize("m", [2, 4])
def test_weights_are_rounded_once(m: int) -> None:
    weight = np.random.default_rng(1).standard_normal((5, 18, 3, 3)).astype(np.float32)
    packed = pack_winograd(weight, m, 4).reshape(m + 2, m + 2, 2, 20, 4)
    g = np.array(WEIGHT[m])
    exact = np.einsum("ik,ockl,jl->ijoc", g, weight.astype(np.float64), g)
    assert np.abs(packed[:, :, 1, 17, 0] - exact[:, :, 4, 17]).max() <= 2**-24 * np.abs(exact).max()
    assert not packed[:, :, 1, :, 1:].any()
    assert not packed[:, :, :, 18:].any()


def test_parts_are_even_and_cover() -> None:
    assert parts(49, 7) == [(0, 7, 7)]
    assert parts(17, 8) == [(0, 2, 6), (12, 1, 5)]
    assert parts(1, 8) == [(0, 1, 1)]


def error(
    m: int, batch: int, ins: int, outs: int, size: tuple[int, int], pads: tuple[int, int, int, int], strip: int
) -> float:
    """The largest difference to PyTorch's convolution in units of its largest value, with a residual and ReLU behind."""
    tvm, cpu = load_tvm(), find_cpu("llvm")
    lanes, (top, left, bottom, right) = cpu.lanes, pads
    window = Window(kernel=(3, 3), stride=(1, 1), before=(top, left), after=(bottom, right), dilation=(1, 1))
    chunks, chunks_out = -(-ins // lanes), -(-outs // lanes)
    tile = gemm_tile(chunks_out, strip, cpu.registers)
    kernel = Winograd(batch, size, chunks, chunks_out, lanes, window, (None, ReLU()), m, tile, strip)
    main = kernel.prim_func().with_attr("global_symbol", "main")
    library = tvm.compile(tvm.IRModule({"main": main}), cpu.target)

    draw = np.random.default_rng([m, ins, outs]).standard_normal
    x = draw((batch, ins, *size)).astype(np.float32)
    weight, bias = draw((outs, ins, 3, 3)).astype(np.float32), draw(outs).astype(np.float32)
    oh, ow = window.output_size(size)
    residual = draw((batch, outs, oh, ow)).astype(np.float32)
    padded = torch.nn.functional.pad(torch.tensor(x), (left, right, top, bottom))
    expected = torch.nn.functional.conv2d(padded, torch.tensor(weight), torch.tensor(bias))
    expected = torch.relu(expected + torch.tensor(residual)).numpy()

    def packed(a: np.ndarray) -> np.ndarray:
        filled = np.pad(a, ((0, 0), (0, -a.shape[1] % lanes), (0, 0), (0, 0)))
        return filled.reshape(batch, -1, lanes, *a.shape[2:]).transpose(0, 1, 3, 4, 2).copy()

    result = tvm.runtime.tensor(np.full((batch, chunks_out, oh, ow, lanes), np.nan, np.float32))
    given = [packed(x), pack_winograd(weight, m, lanes), pack_vector(bias, lanes), packed(residual)]
    library["main"](*map(tvm.runtime.tensor, given), result)
    found = result.numpy().transpose(0, 1, 4, 2, 3).reshape(batch, -1, oh, ow)
    assert not found[:, outs:].any()
    return float(np.abs(found[:, :outs] - expected).max() / np.abs(expected).max())


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("m", [2, 4])
def test_drawn_shapes(m: int, seed: int) -> None:
    r = random.Random(seed)
    size = r.randint(3, 21), r.randint(3, 21)
    top, left, bottom, right = pads = r.randint(0, 2), r.randint(0, 2), r.randint(0, 2), r.randint(0, 2)
    batch, ins, outs = r.randint(1, 3), r.randint(1, 70), r.randint(1, 90)
    tiles = batch * -(-(size[0] + top + bottom - 2) // m) * -(-(size[1] + left + right - 2) // m)
    strip = r.choice([tiles, max(1, tiles // 2), max(1, tiles // 3 + 1)])
    assert error(m, batch, ins, outs, size, pads, strip) < BOUNDS[m]


@pytest.mark.parametrize("m", [2, 4])
def test_one_pixel_and_many_channels(m: int) -> None:
    assert error(m, 1, 1, 1, (1, 1), (1, 1, 1, 1), 1) < BOUNDS[m]
    assert error(m, 1, 600, 48, (8, 7), (1, 1, 1, 1), -(-8 // m) * -(-7 // m)) < BOUNDS[m]


def test_candidates_keep_the_problem() -> None:
    window = Window(kernel=(3, 3), stride=(1, 1), before=(1, 1), after=(1, 1), dilation=(1, 1))
    kernel = Winograd(1, (56, 56), 4, 4, 16, window, (), 4, (2, 7), 196)
    variants = kernel.candidates()
    assert variants[0] == kernel
    assert 8 <= len(set(variants)) == len(variants) <= 24
    assert {v.m for v in variants} == {2, 4}
    assert {(v.batch, v.size, v.chunks, v.chunks_out, v.window, v.tail) for v in variants} == {
        (1, (56, 56), 4, 4, window, ())
    }
