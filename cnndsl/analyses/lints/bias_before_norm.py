"""A convolution with a bias right before batch normalisation.

Batch normalisation subtracts the mean, and the bias with it: the bias is a weight that does nothing.
`docs/errors/bias-before-norm.md` shows it.
"""

from __future__ import annotations

from collections.abc import Iterator

from cnndsl.analyses.lints import warning
from cnndsl.diagnostics.errors import Diagnostic
from cnndsl.ir.graph import Graph


def find(graph: Graph) -> Iterator[Diagnostic]:
    for node in graph.nodes:
        readers = graph.consumers[node.name]
        if "bias" not in graph.node_weights(node) or node.op.category not in ("convolution", "dense"):
            continue
        if readers and all(reader.op.subtracts_mean for reader in readers):
            norm = readers[0]
            yield from warning(
                "bias-before-norm",
                graph,
                (node, norm),
                f"the bias of `{node.op.word}` does nothing before `{norm.op.word}`",
                ("", "subtracts the mean, and the bias with it"),
                "write `bias=false`, once for all: `default Conv(bias=false)`",
            )
