"""Guards `backends/tvm/emitters/elementwise.py` and `backends/tvm/emitters/pooling.py`. PyTorch's numbers, for
every candidate.
"""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
import pytest
import torch

from cnndsl.backends.tvm.kernels.window import WindowKernel, best_tile
from cnndsl.ir.window import Window
from cnndsl.pipeline import parse_text
from tests.backends.tvm.against_torch import relative_error
from tests.few import few

pytestmark = pytest.mark.tvm


@pytest.mark.parametrize(
    "text",
    [
        "input 5×6×7\nConv3x3(20) → sub{ id | Conv1x1 | Conv3x3 } → ReLU",
        "input 5×9\nConv3(20) → max{ id | Conv1 | id } → Sigmoid → mean{ id | Conv3 | id }",
        "input 5×4×3×7\nConv3x3x3(18) → mul{ id | GlobalMaxPool → Conv1x1x1(18) → Sigmoid | id }",
        "input 5×6×7\nConv3x3(20) → max{ id | Conv1x1(20) } → mean{ id | id | Conv1x1(20) } → GlobalMaxPool → FC(3)",
        # Widths that no tile divides, and maps narrower than one.
        "input 3×37×147\nConv3x3(20) → MaxPool3x3(2) → DWConv5x5 → AvgPool3x3(1, 1) → MaxPool3x1(1)",
        "input 3×5×2\nConv3x3(20) → DWConv3x3 → MaxPool(1)",
        "input 3×149\nConv3(20, 2) → MaxPool3(2, 1) → DWConv5",
    ],
)
@pytest.mark.parametrize("batch", few([2, 1], 1))
def test_networks(text: str, batch: int) -> None:
    assert relative_error(parse_text(text).graph, batch=batch, count=batch) < 1e-5


@pytest.mark.parametrize(
    ("extent", "tile"), [((56, 56), (28, 8)), ((73, 73), (1, 8)), ((7, 7), (7, 7)), ((5, 2), (5, 2))]
)
def test_the_rule_for_tiles(extent: tuple[int, int], tile: tuple[int, int]) -> None:
    assert best_tile(*extent) == tile


@pytest.mark.parametrize(
    ("kind", "size", "kernel", "stride"),
    few([("max", (11, 19), 3, 2), ("mean", (9,), 3, 1), ("max", (4, 5, 6), 2, 1)], 2),
)
def test_every_candidate_gives_the_same(
    kind: Literal["max", "mean"], size: tuple[int, ...], kernel: int, stride: int
) -> None:
    import tvm

    rank = len(size)
    pad = (kernel // 2,) * rank
    window = Window((kernel,) * rank, (stride,) * rank, pad, pad, (1,) * rank)
    first = WindowKernel(kind, 1, 2, size, 8, window, ())
    data = np.random.default_rng(0).standard_normal((1, 2, *size, 8)).astype(np.float32)
    plain = torch.from_numpy(np.moveaxis(data, -1, 2).reshape(1, 16, *size))
    pools: dict[Any, Any] = {
        "max": (torch.nn.MaxPool1d, torch.nn.MaxPool2d, torch.nn.MaxPool3d),
        "mean": (torch.nn.AvgPool1d, torch.nn.AvgPool2d, torch.nn.AvgPool3d),
    }
    expected = pools[kind][rank - 1](kernel, stride, kernel // 2)(plain).numpy()
    candidates = first.candidates()
    assert candidates[0] == first
    assert len(set(candidates)) == len(candidates) > 2
    for candidate in candidates:
        module = tvm.compile(tvm.IRModule({"main": candidate.prim_func().with_attr("global_symbol", "main")}), "llvm")
        result = tvm.runtime.tensor(np.zeros((1, 2, *expected.shape[2:], 8), np.float32))
        module(tvm.runtime.tensor(data), result)
        found = np.moveaxis(result.numpy(), -1, 2).reshape(expected.shape)
        assert np.allclose(found, expected, rtol=1e-6, atol=1e-6)
