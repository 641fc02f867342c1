"""Guards `training/loop/learner.py`: torch.compile makes the same step of our module as of torchvision's, so it is as fast."""

from __future__ import annotations

import warnings
from typing import Any

import pytest
import torch

import cnndsl
from cnndsl.backends.pytorch.live.in_place import work_in_place
from tests.oracle import published

Graph = list[tuple[str, tuple[int, ...], tuple[int, ...]]]


def graphs(network: Any) -> list[Graph]:
    """Of a step of learning, forward and backward: each operation with its result's shape and strides, in order."""
    from torch._dynamo.backends.common import aot_autograd

    found: list[Graph] = []

    def keep(module: Any, _: Any) -> Any:
        values = [(str(n.target), n.meta.get("val")) for n in module.graph.nodes if n.op == "call_function"]
        tensors = [(name, value) for name, value in values if isinstance(value, torch.Tensor)]
        found.append([(name, tuple(value.shape), tuple(value.stride())) for name, value in tensors])
        return module

    network.train().to(memory_format=torch.channels_last)
    x = torch.rand(4, 3, 64, 64).to(memory_format=torch.channels_last)
    with warnings.catch_warnings():
        # It advises another kind of compiler than one that only looks.
        warnings.simplefilter("ignore")
        compiled: Any = torch.compile(network, backend=aot_autograd(fw_compiler=keep, bw_compiler=keep))
        compiled(x).sum().backward()
    torch._dynamo.reset()
    return found


@pytest.mark.slow
def test_the_compiled_step_of_resnet18_is_torchvisions() -> None:
    net = cnndsl.load("resnet18", classes=10, input=(3, 64, 64))
    ours = net.to_torch()
    work_in_place(ours, net.graph)
    found, expected = graphs(ours), graphs(published("resnet18", num_classes=10))
    assert len(found) == len(expected) == 2
    assert min(map(len, expected)) > 100
    assert found == expected
