"""Channels that are not a multiple of 8 in a layer that does much of the work.

Vector units and matrix engines work on 8, 16 or more channels at once: the rest of the last group is wasted.
`docs/errors/odd-channels.md` shows it.
"""

from __future__ import annotations

from collections.abc import Iterator

from cnndsl.analyses.lints import warning
from cnndsl.diagnostics.errors import Diagnostic
from cnndsl.ir.graph import Graph

_HOT_SHARE = 0.1
_HOT_MACS = 10**7


def find(graph: Graph) -> Iterator[Diagnostic]:
    work = {node.name: node.op.macs(graph.input_types(node), node.type) for node in graph.nodes}
    hot = max(_HOT_MACS, _HOT_SHARE * sum(work.values()))
    for node in graph.nodes:
        channels = node.type.channels
        if work[node.name] >= hot and channels % 8 and node.op.category == "convolution":
            yield from warning(
                "odd-channels",
                graph,
                (node,),
                f"{channels} channels are no multiple of 8, in a layer with {work[node.name]:,} multiply-adds",
                (f"expected {channels // 8 * 8 or 8} or {channels // 8 * 8 + 8}, found {channels}",),
                f"take {channels // 8 * 8 + 8} channels",
            )
