"""A training head that leaves in use, too: an output called `aux` without `if training`."""

from __future__ import annotations

from collections.abc import Iterator

from cnndsl.analyses.lints import warning
from cnndsl.diagnostics.errors import Diagnostic
from cnndsl.ir.graph import Graph


def find(graph: Graph) -> Iterator[Diagnostic]:
    nodes = {node.name for node in graph.nodes}
    for output in graph.outputs:
        name = output.name.lower()
        if len(graph.outputs) > 1 and not output.training and name.startswith("aux") and output.node in nodes:
            yield from warning(
                "auxiliary-output",
                graph,
                (graph[output.node],),
                f"the output `{output.name}` leaves in use, too, and costs its layers there",
                (f"`{output.name}` is made here",),
                f"if it is for training, write `output {output.name} if training`",
            )
