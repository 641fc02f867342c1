"""A classifier that answers at every position of a map.

`Linear` acts on the channels of each position. As the last layer, over a map, it gives a map of classes where a vector was
probably meant.
"""

from __future__ import annotations

from collections.abc import Iterator

from cnndsl.analyses.lints import warning
from cnndsl.diagnostics.errors import Diagnostic
from cnndsl.ir.graph import Graph

_ON_TOP = ("Softmax", "LogSoftmax", "Sigmoid")


def find(graph: Graph) -> Iterator[Diagnostic]:
    for output in graph.outputs:
        if output.node not in {node.name for node in graph.nodes}:
            continue
        node = graph[output.node]
        if node.op.word in _ON_TOP and node.inputs[0] in {other.name for other in graph.nodes}:
            node = graph[node.inputs[0]]
        x = graph.input_types(node)[0]
        if node.op.word == "Linear" and x.kind == "map" and x.channel_axis == 0:
            yield from warning(
                "linear-on-map",
                graph,
                (node,),
                f"`Linear` answers at each position of a map: the output is {node.type}",
                (f"{x} arrives here",),
                "for one answer an example, write `GlobalAvgPool` before it, or `FC`, which flattens; for one a position, `Conv1x1`",
            )
