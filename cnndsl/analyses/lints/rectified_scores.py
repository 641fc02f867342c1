"""A network whose answer is a fully connected layer behind `ReLU`: every score below zero becomes zero.

`docs/errors/rectified-scores.md` shows it.
"""

from __future__ import annotations

from collections.abc import Iterator

from cnndsl.analyses.lints import warning
from cnndsl.diagnostics.errors import Diagnostic
from cnndsl.ir.graph import Graph


def find(graph: Graph) -> Iterator[Diagnostic]:
    nodes = {node.name for node in graph.nodes}
    for output in graph.outputs:
        if output.training or output.node not in nodes:
            continue
        last = graph[output.node]
        if last.op.rectifies and last.inputs[0] in nodes and graph[last.inputs[0]].op.category == "dense":
            before = graph[last.inputs[0]]
            yield from warning(
                "rectified-scores",
                graph,
                (last, before),
                f"`{last.op.word}` makes zero of every score below zero, and those learn nothing any more",
                ("the network ends here", "its scores are made here"),
                "end with the fully connected layer: the loss takes scores as they are",
            )
