"""A receptive field smaller than the input, where the network ends in a global pool.

No position before the pool has seen the whole object: the network can only vote on parts of it.
`docs/errors/small-receptive-field.md` shows it.
"""

from __future__ import annotations

from collections.abc import Iterator

from cnndsl.analyses.lints import warning
from cnndsl.analyses.receptive_field import last_map, receptive_fields
from cnndsl.diagnostics.errors import Diagnostic
from cnndsl.ir.graph import Graph
from cnndsl.ir.written import sizes


def find(graph: Graph) -> Iterator[Diagnostic]:
    pools = [
        node for node in graph.nodes if node.op.category == "pooling" and node.op.sees_all(graph.input_types(node)[0])
    ]
    fields = receptive_fields(graph)
    seen = last_map(graph, fields)
    if not pools or seen is None or len(graph.outputs) != 1 or graph.types[graph.outputs[0].node].kind != "vector":
        return
    pool, (_, field) = pools[-1], seen
    # Where the input is a text, its words are the positions: there are no axes behind the channels.
    size = next(given.type.size or given.type.shape for given in graph.inputs if given.name == field.input)
    if pool.inputs[0] == seen[0] and any(s < n for s, n in zip(field.size, size, strict=True)):
        yield from warning(
            "small-receptive-field",
            graph,
            (pool,),
            f"what is pooled here has seen {sizes(field.size)} of an input of {sizes(size)}",
            (f"expected a receptive field of {sizes(size)}, found {sizes(field.size)}",),
            "downsample earlier, or add layers before the pool",
        )
