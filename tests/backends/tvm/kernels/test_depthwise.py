"""Guards `backends/tvm/kernels/depthwise.py`. Depthwise convolution, and convolution in small groups, over drawn
shapes: PyTorch's numbers.
"""

from __future__ import annotations

import random

import numpy as np
import pytest
import torch

from cnndsl.backends.tvm.kernels.depthwise import DepthwiseConv, depthwise
from cnndsl.backends.tvm.kernels.words.packing import pack_depthwise
from cnndsl.backends.tvm.target import Cpu
from cnndsl.ir.window import Window
from tests.few import few

pytestmark = pytest.mark.tvm
LANES = 8
CPUS = [Cpu("generic", "x86_64-linux-gnu", lanes=LANES, registers=registers) for registers in (16, 32)]


def drawn(seed: int, rank: int) -> DepthwiseConv:
    """Windows from one tap to seven, paddings that differ on all sides, maps from a single position on."""
    r = random.Random(seed)
    kernel = tuple(r.choice([1, 2, 3, 3, 5, 7][: 6 - rank]) for _ in range(rank))
    dilation = tuple(r.choice([1, 1, 2, 3]) for _ in range(rank))
    before = tuple(r.randint(0, (k - 1) * d) for k, d in zip(kernel, dilation, strict=True))
    after = tuple(r.randint(0, (k - 1) * d) for k, d in zip(kernel, dilation, strict=True))
    extent = [(k - 1) * d + 1 for k, d in zip(kernel, dilation, strict=True)]
    most = (200, 40, 12)[rank - 1]
    size = tuple(max(1, e - b - a) + r.randint(0, most) for e, b, a in zip(extent, before, after, strict=True))
    stride = tuple(r.choice([1, 1, 2, 3]) for _ in range(rank))
    window = Window(kernel, stride, before, after, dilation)
    seen = r.choice([1, 1, 2, 4, 8])
    return depthwise(r.choice([1, 2]), r.choice([1, 2, 3]), size, seen, window, (), CPUS[seed % 2])


def check(kernel: DepthwiseConv) -> None:
    import tvm

    r = np.random.default_rng(0)
    w, channels = kernel.window, kernel.chunks * LANES
    x = r.standard_normal((kernel.batch, channels, *kernel.size)).astype(np.float32)
    weight = r.standard_normal((channels, kernel.seen, *w.kernel)).astype(np.float32)
    bias = r.standard_normal(channels).astype(np.float32)
    pads = [p for b, a in zip(reversed(w.before), reversed(w.after), strict=True) for p in (b, a)]
    convolve = (torch.conv1d, torch.conv2d, torch.conv3d)[len(kernel.size) - 1]
    padded = torch.nn.functional.pad(torch.from_numpy(x).double(), pads)
    expected = convolve(
        padded,
        torch.from_numpy(weight).double(),
        torch.from_numpy(bias).double(),
        stride=w.stride,
        dilation=w.dilation,
        groups=channels // kernel.seen,
    ).numpy()

    def packed(array: np.ndarray, axis: int) -> np.ndarray:
        shape = (*array.shape[:axis], kernel.chunks, LANES, *array.shape[axis + 1 :])
        return np.ascontiguousarray(np.moveaxis(array.reshape(shape), axis + 1, -1))

    room = np.full((kernel.batch, kernel.chunks, *expected.shape[2:], LANES), np.nan, np.float32)
    arrays = [packed(x, 1), pack_depthwise(weight, LANES), packed(bias, 0), room]
    tensors = [tvm.runtime.tensor(array) for array in arrays]
    module = tvm.IRModule({"main": kernel.prim_func().with_attr("global_symbol", "main")})
    tvm.compile(module, tvm.target.Target("llvm"))["main"](*tensors)
    found = np.moveaxis(tensors[-1].numpy(), -1, 2).reshape(expected.shape)
    assert np.abs(found - expected).max() < 1e-5 * max(1, np.abs(expected).max())


@pytest.mark.parametrize("rank", [1, 2, 3])
@pytest.mark.parametrize("seed", few(range(12), 4))
def test_drawn_shapes(seed: int, rank: int) -> None:
    check(drawn(seed, rank))


@pytest.mark.parametrize(
    ("size", "kernel", "stride"),
    few([((1, 1), 3, 1), ((2, 3), 5, 2), ((3,), 31, 1), ((150, 150), 3, 2), ((9, 31), 7, 1)], 3),
)
def test_every_candidate_gives_the_same(size: tuple[int, ...], kernel: int, stride: int) -> None:
    rank, pad = len(size), kernel // 2
    window = Window((kernel,) * rank, (stride,) * rank, (pad,) * rank, (pad,) * rank, (1,) * rank)
    candidates = depthwise(1, 2, size, 2, window, (), CPUS[1]).candidates()
    assert len(set(candidates)) == len(candidates)
    for candidate in candidates:
        check(candidate)
