"""Parameters and buffers."""

from __future__ import annotations

from typing import NamedTuple

from cnndsl.ir.graph import Graph
from cnndsl.ir.tensor import BYTES


class Params(NamedTuple):
    """Elements of the state: what training changes, and what it only observes (each `num_batches_tracked` is one)."""

    trained: int = 0
    buffers: int = 0
    trained_bytes: int = 0
    buffer_bytes: int = 0

    @property
    def total(self) -> int:
        return self.trained + self.buffers

    @property
    def bytes(self) -> int:
        return self.trained_bytes + self.buffer_bytes


def params(graph: Graph, float_bytes: int = 4) -> dict[str, Params]:
    """The state of each node that has some; a float32 takes `float_bytes`. Weights that several nodes use count once, where they are owned;
    those of branches that only training needs count too, as the compiled module always has them."""
    found: dict[str, list[int]] = {}
    for entry in graph.weights:
        counts = found.setdefault(entry.node, [0, 0, 0, 0])
        elements = entry.weight.elements
        kind = 0 if entry.weight.trained else 1
        counts[kind] += elements
        dtype = entry.weight.dtype
        counts[kind + 2] += elements * (float_bytes if dtype == "float32" else BYTES[dtype])
    return {name: Params(*counts) for name, counts in found.items()}


def total(state: dict[str, Params]) -> Params:
    """The sum over nodes."""
    return Params(*map(sum, zip(Params(), *state.values(), strict=True)))
