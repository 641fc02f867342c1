"""Guards `ops/` and `ir/reach.py`. No layer sees more than it says: every example of every layer, against torch's
gradient.
"""

from __future__ import annotations

from itertools import product
from typing import Any

import pytest
import torch

from cnndsl.analyses.receptive_field import receptive_fields
from cnndsl.backends.pytorch.live.module import to_torch
from cnndsl.ir.op import registry
from cnndsl.pipeline import parse_text

# Statistics over the map are no part of a receptive field, by the usual reckoning.
EXAMPLES = [
    pytest.param(text, shape, id=f"{word}-{index}")
    for word, op in sorted(registry().items())
    if op.category != "normalization"
    for index, (text, shape) in enumerate(op.examples)
    if len(shape) > 1
]


@pytest.mark.parametrize(("text", "shape"), EXAMPLES)
def test_gradients_stay_inside(text: str, shape: tuple[int, ...]) -> None:
    network = parse_text(f"input x: {'×'.join(map(str, shape))}\n{text}").graph
    output = network.outputs[0].node
    found = receptive_fields(network, strict=True)[output]
    if found is None:
        assert any(node.type.rank != len(shape) - 1 or node.op.begins for node in network.nodes)
        return
    told = [node.op.reach(network.input_types(node), node.type, 0) or () for node in network.nodes]
    if any(reach.axis != axis for reaches in told for axis, reach in enumerate(reaches)):
        return  # Exchanged axes: the views no longer stand in the order of the input's.
    torch.manual_seed(0)
    module: Any = to_torch(network).double().eval()
    leaf = torch.rand((1, *shape), dtype=torch.float64, requires_grad=True)
    y = module(leaf)
    axis = network.types[output].channel_axis + 1
    y = (y * torch.rand(y.shape, dtype=torch.float64)).sum(axis)[0]
    size = len(shape) - 1
    for position in product(*map(range, y.shape)):
        (gradient,) = torch.autograd.grad(y[position], leaf, retain_graph=True)
        seen = gradient[0].abs().sum(0).nonzero()
        if not len(seen):
            continue
        at = position if len(position) == len(found.size) else (0,) * size
        for n, (first, last) in enumerate(zip(seen.amin(0).tolist(), seen.amax(0).tolist(), strict=True)):
            view = found.views[n]
            assert view.first + view.stride * at[n] <= first
            assert last <= view.last + view.stride * at[n]
