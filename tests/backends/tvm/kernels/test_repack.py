"""Guards `backends/tvm/kernels/repack.py`. Between tensors as they come and chunks of channels: NumPy's
transposition, over drawn shapes.
"""

from __future__ import annotations

import random

import numpy as np
import pytest

from cnndsl.backends.tvm.kernels.repack import Repack

pytestmark = pytest.mark.tvm


@pytest.mark.parametrize("pack", [True, False])
@pytest.mark.parametrize("seed", range(12))
def test_drawn_shapes(seed: int, pack: bool) -> None:
    import tvm

    r = random.Random(seed)
    batch, lanes, channels = r.choice([1, 3]), r.choice([4, 8, 16]), r.choice([1, 3, 15, 16, 17, 40])
    size = tuple(r.randint(1, (90, 23, 9)[rank]) for rank in [r.randint(0, 2)] for _ in range(rank + 1))
    axis, shuffles = r.choice([0, 0, 0, len(size)]), seed != 0
    kernel = Repack(pack, batch, channels, size, lanes, shuffles, axis)
    draw = np.random.default_rng(seed).standard_normal
    plain = draw((batch, channels, *size)).astype(np.float32)
    chunks = -(-channels // lanes)
    packed = np.zeros((batch, chunks * lanes, *size), np.float32)
    packed[:, :channels] = plain
    packed = np.ascontiguousarray(np.moveaxis(packed.reshape(batch, chunks, lanes, *size), 2, -1))
    plain = np.ascontiguousarray(np.moveaxis(plain, 1, axis + 1))
    data, expected = (plain, packed) if pack else (packed, plain)
    tensors = [tvm.runtime.tensor(a) for a in (data, np.full_like(expected, np.nan))]
    module = tvm.IRModule({"main": kernel.prim_func().with_attr("global_symbol", "main")})
    tvm.compile(module, tvm.target.Target("llvm"))["main"](*tensors)
    assert np.array_equal(tensors[1].numpy(), expected)
