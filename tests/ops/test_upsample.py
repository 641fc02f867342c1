"""Guards `ops/upsample.py` and `ir/shared/resampling.py`. Upsampling against PyTorch: values for sizes and factors that do not
divide, and what each position sees."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import torch

from cnndsl.backends.pytorch.live.module import to_torch
from cnndsl.backends.tvm.program.plain import activations
from cnndsl.diagnostics.errors import Refusal
from cnndsl.ir.tensor import TensorType
from cnndsl.ops.upsample import Upsample
from tests.graphs import graph

SMOOTH: tuple[dict[str, Any], ...] = (
    {"mode": "linear"},
    {"mode": "linear", "align": True},
    {"mode": "bicubic"},
    {"mode": "bicubic", "align": True},
)
ASKED: tuple[dict[str, Any], ...] = (
    {"size": 1},
    {"size": 4},
    {"size": 7},
    {"size": 15},
    {"size": 82},
    {"scale": 0.5},
    {"scale": 1.1},
    {"scale": 1.5},
    {"scale": 2.7},
    {"scale": 3.0},
)


def ops() -> Iterator[Upsample]:
    for asked in ASKED:
        for mode in ({}, *SMOOTH):
            yield Upsample(**asked, **mode)


@pytest.mark.tvm
@pytest.mark.parametrize("shape", [(2, 5, 6), (1, 1, 3)], ids=str)
def test_tvm_has_torchs_values(shape: tuple[int, ...]) -> None:
    found = {f"up{index}": op for index, op in enumerate(ops()) if min(shape[1:]) > 1 or op.scale != 0.5}
    network = graph({"x": shape}, [(name, op, ("x",)) for name, op in found.items()], tuple(found))
    x = torch.randn(2, *shape, generator=torch.Generator().manual_seed(1))
    expected = to_torch(network)(x)
    values = activations(network, {}, {"x": x.numpy()})
    for name, op in found.items():
        assert values[name].shape == (2, *network.types[name].shape)
        assert np.abs(values[name] - expected[name].numpy()).max() < 1e-5, op


@pytest.mark.tvm
def test_nearest_rounds_as_torch_does() -> None:
    # 41·2/82 is 1, and in float32 less.
    network = graph({"x": (1, 2)}, [("up", Upsample(size=82), ("x",))])
    x = torch.tensor([[[0.0, 1.0]]])
    expected = to_torch(network)(x)
    assert expected[0, 0, 41] == 0
    assert np.array_equal(activations(network, {}, {"x": x.numpy()})["up"], expected.numpy())


@pytest.mark.parametrize("n", [1, 2, 5, 6, 9])
@pytest.mark.parametrize("op", [op for op in ops() if op.mode != "bicubic"], ids=str)
def test_positions_see_what_changes_them(op: Upsample, n: int) -> None:
    x = TensorType(shape=(1, n))
    if n == 1 and op.scale == 0.5:
        return
    y = op.infer((x,))
    (reach,) = op.reach((x,), y, 0)
    # Each input position alone, as one example of a batch: torch's own gradients round otherwise than its values.
    slopes = op.to_torch(torch.nn, (x,))(torch.eye(n).reshape(n, 1, n)).reshape(n, y.shape[1])
    for o in range(y.shape[1]):
        seen = {p for p in range(n) if abs(slopes[p, o]) > 1e-6}
        told = {p for p in range(n) if reach.stride * o + reach.first <= p <= reach.stride * o + reach.last}
        assert seen <= told
        assert seen == told or not reach.even


def test_like_and_size_and_scale_exclude_each_other() -> None:
    x = TensorType(shape=(3, 4, 5))
    for op in (Upsample(size=8, like=(8, 10)), Upsample(scale=2.0, size=8), Upsample(scale=2.0, like=(8, 10))):
        with pytest.raises(Refusal) as caught:
            op.infer((x,))
        assert caught.value.id == "repeated-argument"


@pytest.mark.parametrize(
    ("op", "id", "argument"),
    [
        (Upsample(align=True), "out-of-range", "align"),
        (Upsample(mode="trilinear"), "wrong-rank", "mode"),
        (Upsample(scale=0.1), "out-of-range", "scale"),
        (Upsample(scale=(2.0, 2.0, 2.0)), "wrong-rank", "scale"),
        (Upsample(like=(8, 8, 8)), "wrong-rank", "like"),
    ],
)
def test_refusals_name_the_argument(op: Upsample, id: str, argument: str) -> None:
    with pytest.raises(Refusal) as caught:
        op.infer((TensorType(shape=(3, 4, 5)),))
    assert (caught.value.id, caught.value.argument) == (id, argument)
    assert caught.value.notes
    assert caught.value.help
