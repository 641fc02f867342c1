"""A compiled network and its PyTorch module on the same weights and inputs."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from cnndsl.arrays.drawn import drawn_weights
from cnndsl.backends.pytorch.live.module import to_torch
from cnndsl.backends.tvm.build import build
from cnndsl.ir.graph import Graph

Arrays = dict[str, np.ndarray]


def inputs_for(graph: Graph, count: int) -> Arrays:
    """That many examples of every input."""
    generator = np.random.default_rng(5)
    return {
        i.name: generator.standard_normal((count, *i.type.shape)).astype(np.float32)
        if i.type.dtype == "float32"
        else generator.integers(0, 2, (count, *i.type.shape))
        for i in graph.inputs
    }


def torch_outputs(graph: Graph, weights: Arrays, inputs: Arrays) -> Arrays:
    """The outputs by name, in evaluation mode."""
    module = to_torch(graph)
    module.load_state_dict({key: torch.tensor(value) for key, value in weights.items()})
    with torch.no_grad():
        result = module.eval()(*map(torch.tensor, inputs.values()))
    return by_name(
        graph,
        {name: value.detach().numpy() for name, value in result.items()}
        if isinstance(result, dict)
        else result.detach().numpy(),
    )


def by_name(graph: Graph, result: Any) -> Arrays:
    """One output under its name, several as they are."""
    names = [o.name for o in graph.outputs if not o.training]
    return dict(result) if isinstance(result, dict) else {names[0]: result}


def relative_error(graph: Graph, *, batch: int = 1, count: int = 1, target: str = "llvm") -> float:
    """The largest error of any output, in units of its largest value."""
    weights, inputs = drawn_weights(graph, 3), inputs_for(graph, count)
    expected = torch_outputs(graph, weights, inputs)
    found = by_name(graph, build(graph, weights, target, batch)(**inputs))
    assert list(found) == list(expected)
    assert {name: array.shape for name, array in found.items()} == {
        name: array.shape for name, array in expected.items()
    }
    return max(
        float(np.abs(found[name] - value).max() / max(np.abs(value).max(), 1e-3)) for name, value in expected.items()
    )
