"""Weights and inputs with which a comparison of values means something."""

from __future__ import annotations

from math import sqrt
from typing import TYPE_CHECKING

from cnndsl.arrays.drawn import drawn_weights
from cnndsl.ir.graph import Graph

if TYPE_CHECKING:
    import numpy as np

    Arrays = dict[str, np.ndarray]

_EXAMPLES = 4
"""From which statistics are taken."""


def drawn_examples(graph: Graph, seed: int, count: int) -> Arrays:
    """So many examples of every input, aligned to cache lines: normal numbers, zeros and ones where whole ones are
    due."""
    import numpy as np

    from cnndsl.backends.tvm.predict import aligned

    generator = np.random.default_rng(seed)
    drawn = {
        i.name: generator.standard_normal((count, *i.type.shape), dtype=np.float32)
        if i.type.dtype.startswith("float")
        else generator.integers(0, 2, (count, *i.type.shape))
        for i in graph.inputs
    }
    return {i.name: aligned(np.asarray(drawn[i.name], i.type.dtype)) for i in graph.inputs}


def lively_weights(graph: Graph, seed: int) -> Arrays:
    """Weights that keep the numbers of all layers of one size, as those of trained networks do.

    First values of PyTorch shrink maps by about √6 a convolution: after fifty of them the output is its last
    bias, whatever was wrong before. Convolutions are drawn √6 wider (He et al., 2015), and batch norms take the
    statistics of examples.
    """
    from cnndsl.backends.pytorch.live.inference import settled

    weights = drawn_weights(graph, seed)
    for entry in graph.weights:
        if entry.weight.init == "uniform" and len(entry.weight.shape) > 2:
            weights[entry.key] *= sqrt(6)
    return settled(graph, weights, drawn_examples(graph, seed + 1, _EXAMPLES))
