"""Guards `pytorch/live/in_place.py`: working in place changes neither values nor gradients."""

from __future__ import annotations

import pytest
import torch

from cnndsl.backends.pytorch.live.in_place import work_in_place
from cnndsl.backends.pytorch.live.module import forward_pass, to_torch
from cnndsl.pipeline import load, parse_text

SHARED = """input 3×8×8
a: Conv3x3(8) → add{ ReLU | Tanh } → b: Sigmoid → ReLU → Permute(1, 2, 0) → Reshape(64, 8) → ReLU → Linear(4) → ReLU
"""


def worked(network: torch.nn.Module) -> int:
    return sum(step.run.__name__ in ("_rectified", "_added") for step in forward_pass(network, training=True).steps)


@pytest.mark.parametrize(("name", "count"), [("resnet18", 25), ("googlenet", 61), ("densenet121", 121)])
def test_values_and_gradients_stay(name: str, count: int) -> None:
    graph = load(name, inputs={"": "3x64x64"}).graph
    plain, ours = to_torch(graph).train(), to_torch(graph).train()
    ours.load_state_dict(plain.state_dict())
    work_in_place(ours, graph)
    assert worked(ours) == count
    x = torch.randn(2, 3, 64, 64)
    found = []
    for network in (plain, ours):
        torch.manual_seed(0)
        outputs = network(x)
        values = list(outputs.values()) if isinstance(outputs, dict) else [outputs]
        sum(value.square().mean() for value in values).backward()
        found.append(values + [weight.grad for weight in network.parameters()] + list(network.buffers()))
    for one, other in zip(*found, strict=True):
        assert torch.equal(one, other)
    plain.eval(), ours.eval()
    with torch.no_grad():
        assert torch.equal(plain(x), ours(x))


def test_what_others_read_is_left_alone() -> None:
    graph = parse_text(SHARED).graph
    network = to_torch(graph)
    work_in_place(network, graph)
    # Of four rectifiers, the last: the others read what is shared, kept for a gradient, or a view.
    assert worked(network) == 1
    network.train()(torch.randn(2, 3, 8, 8)).sum().backward()
