"""What positions see, measured: the non-zero extent of a gradient that torch computes."""

from __future__ import annotations

from itertools import product

import torch

from cnndsl.analyses.receptive_field import Field, receptive_fields
from cnndsl.ir.graph import Graph
from cnndsl.ir.op import Op
from cnndsl.ops.avg_pool import AvgPool
from cnndsl.ops.max_pool import MaxPool
from tests.graphs import graph

torch.set_num_threads(1)  # In sums this small, threads only wait for each other.

Extent = tuple[tuple[int, int], ...]
"""First and last pixel along each axis."""


def extents(graph: Graph, node: str, most: int = 40) -> dict[tuple[int, ...], Extent]:
    """For positions of the node's map (no more than `most`, spread evenly), the pixels of the first input whose change
    changes it. All weights are positive and maxima are averages, so that nothing cancels and nothing is left out."""
    size = graph.inputs[0].type.size
    leaf = torch.full((1, *graph.inputs[0].type.shape), 0.5, dtype=torch.float64, requires_grad=True)
    values = {graph.inputs[0].name: leaf}
    for extra in graph.inputs[1:]:
        values[extra.name] = torch.full((1, *extra.type.shape), 0.5, dtype=torch.float64)
    for step in graph.nodes:
        types = graph.input_types(step)
        op = _smooth(step.op)
        module = op.to_torch(torch.nn, types)
        if module is not None:
            module = module.double().eval()
            for weight in module.parameters():
                torch.nn.init.constant_(weight, 1 / max(weight[0].numel(), 1))
        values[step.name] = op.call_torch(torch, module, types, *(values[name] for name in step.inputs))
    y = values[node].sum(1, keepdim=True)[0, 0]
    positions = list(product(*map(range, y.shape)))
    found = {}
    for position in positions[:: -(-len(positions) // most)]:
        (gradient,) = torch.autograd.grad(y[position], leaf, retain_graph=True, allow_unused=True)
        seen = gradient[0].abs().sum(0).nonzero() if gradient is not None else torch.zeros((0, len(size)))
        if len(seen):
            found[position] = tuple(zip(seen.amin(0).tolist(), seen.amax(0).tolist(), strict=True))
    return found


def _smooth(op: Op) -> Op:
    if isinstance(op, MaxPool):
        assert op.dilation == 1
        return AvgPool(window=op.window, stride=op.stride, pad=op.pad, ceil=op.ceil)
    return op


def field(network: Graph, node: str, *, strict: bool = False) -> Field:
    found = receptive_fields(network, strict=strict)[node]
    assert found is not None
    return found


def figures(found: Field) -> tuple[tuple[int, ...], tuple[object, ...], tuple[int, ...], str]:
    return found.size, found.stride, found.start, found.state


def compare(network: Graph, node: str) -> int:
    """Checks each position: exactly what is promised where that lies inside the input, and never more. Returns how many
    lay inside."""
    found = field(network, node)
    inside = 0
    for position, measured in extents(network, node).items():
        promised = [
            (start + stride * o, start + stride * o + size - 1)
            for o, size, stride, start in zip(position, found.size, found.stride, found.start, strict=True)
        ]
        for (first, last), (low, high) in zip(measured, promised, strict=True):
            assert low <= first <= last <= high
        if all(low >= 0 and high < n for (low, high), n in zip(promised, network.inputs[0].type.size, strict=True)):
            assert list(measured) == promised
            inside += 1
    return inside


def chain(shape: tuple[int, ...], *ops: Op) -> Graph:
    names = ["x", *(f"n{i}" for i in range(len(ops)))]
    return graph({"x": shape}, [(names[i + 1], op, (names[i],)) for i, op in enumerate(ops)])
