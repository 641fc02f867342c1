"""Probabilities that a layer with weights takes: `Softmax` belongs to the end of a classifier, or into attention.

`docs/errors/inner-softmax.md` shows it.
"""

from __future__ import annotations

from collections.abc import Iterator

from cnndsl.analyses.lints import warning
from cnndsl.diagnostics.errors import Diagnostic
from cnndsl.ir.graph import Graph


def find(graph: Graph) -> Iterator[Diagnostic]:
    inputs = {given.name for given in graph.inputs}
    for node in graph.nodes:
        if node.op.category not in ("convolution", "dense", "normalization"):
            continue
        name = node.inputs[0]
        while name not in inputs and graph[name].op.view:
            name = graph[name].inputs[0]
        if name in inputs or not graph[name].op.is_plain or graph[name].op.per_position != "softmax":
            continue
        before = graph[name]
        yield from warning(
            "inner-softmax",
            graph,
            (before, node),
            f"`{before.op.word}` in the middle: `{node.op.word}` gets numbers that add up to one, and learns slowly from them",
            ("probabilities are made here", "and are taken as features here"),
            "put `ReLU` in its place, and `Softmax` at the end of the network if at all",
        )
