"""Weights and inputs drawn from a seed, with which comparisons of values are made."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cnndsl.arrays.weights import initial_weights
from cnndsl.ir.graph import Graph

if TYPE_CHECKING:
    import numpy as np

    Arrays = dict[str, np.ndarray]


def drawn_weights(graph: Graph, seed: int) -> Arrays:
    """First values, moved a little where they are constants: a bias of zero and a variance of one hide mistakes."""
    import numpy as np

    generator = np.random.default_rng(seed)
    arrays = initial_weights(graph, seed)
    for entry in graph.weights:
        if not entry.weight.random and entry.weight.dtype.startswith("float"):
            arrays[entry.key] += generator.uniform(-0.25, 0.25, entry.weight.shape).astype(entry.weight.dtype)
    return arrays


def drawn_inputs(graph: Graph, seed: int) -> Arrays:
    """One example for every input: normal numbers, or zeros and ones where whole numbers are due."""
    import numpy as np

    generator = np.random.default_rng(seed)
    return {
        i.name: generator.normal(size=(1, *i.type.shape)).astype(i.type.dtype)
        if i.type.dtype.startswith("float")
        else generator.integers(0, 2, (1, *i.type.shape)).astype(i.type.dtype)
        for i in graph.inputs
    }
