"""Guards `backends/tvm/kernels/direct_conv.py`, `backends/tvm/kernels/window.py` and
`backends/tvm/kernels/elementwise.py`. Convolution, pooling and sums over maps of one, two and three axes:
PyTorch's numbers over drawn shapes.
"""

from __future__ import annotations

import random

import pytest

from cnndsl.pipeline import parse_text
from tests.backends.tvm.against_torch import relative_error
from tests.few import few

pytestmark = pytest.mark.tvm


def times(numbers: list[int]) -> str:
    return "×".join(map(str, numbers))


def drawn(seed: int, rank: int) -> str:
    """A network of a convolution, one in groups, a sum, pooling and a mean, over drawn sizes."""
    r = random.Random(seed)
    channels, wide = r.choice([1, 3, 5, 16, 20]), r.choice([8, 16, 24, 40, 64])
    size = [r.randint(9, (300, 24, 11)[rank - 1]) for _ in range(rank)]
    kernel, stride, dilation = r.choice([1, 2, 3, 5]), r.choice([1, 1, 2, 3]), r.choice([1, 1, 2])
    groups = r.choice([g for g in (1, 2, 4, 8, wide) if wide % g == 0])
    pool = r.choice(["MaxPool{}(2, 1)", "AvgPool{}(2)", "MaxPool{}(2, ceil=true)", "AvgPool{}(1, pad=1)"])
    window, three = "x".join([str(kernel)] * rank), "x".join(["3"] * rank)
    return f"""
input {channels}×{times(size)}
Conv{window}({wide}, {stride}, pad={dilation * (kernel // 2)}, dilation={dilation}) → ReLU
→ add{{ Conv{three}({wide}, 1, pad=1, groups={groups}, bias=false) → BN | id }} → SiLU → {pool.format(three)}
→ mul{{ id | GlobalAvgPool → Conv{"x".join(["1"] * rank)}({wide}) → Sigmoid }} → GlobalAvgPool → FC(3)
"""


@pytest.mark.parametrize("rank", [1, 2, 3])
@pytest.mark.parametrize("seed", few(range(4), 1))
def test_drawn_networks(seed: int, rank: int) -> None:
    assert relative_error(parse_text(drawn(seed, rank)).graph, batch=1 + seed % 2, count=1 + seed % 2) < 1e-5
