"""The figures that a program's `assert` statements can speak of."""

from __future__ import annotations

from cnndsl.analyses.document import Summary
from cnndsl.ir.graph import Graph
from cnndsl.ir.tensor import TensorType


def figures(graph: Graph, summary: Summary) -> dict[str, int | TensorType | None]:
    """Each figure by its name in programs, at batch 1. `rf` is the receptive field's smaller axis in pixels, None where
    it is not known; `output` is the type of the first output."""
    totals, field = summary.totals, summary.receptive_field
    return {
        "params": totals.params,
        "macs": totals.macs,
        "flops": totals.flops,
        "activations": totals.activations,
        "depth": totals.depth,
        "rf": None if field is None else min(field.size),
        "output": graph.types[graph.outputs[0].node],
    }
