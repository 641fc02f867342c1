"""`pad=same` with an even window.

`same` adds (k-1)//2 rows on both sides, which for an even window is one row too few: the map shrinks by one.
`docs/errors/even-same-window.md` shows it.
"""

from __future__ import annotations

from collections.abc import Iterator

from cnndsl.analyses.lints import warning
from cnndsl.diagnostics.errors import Diagnostic
from cnndsl.ir.graph import Graph
from cnndsl.ir.written import sizes


def find(graph: Graph) -> Iterator[Diagnostic]:
    for node in graph.nodes:
        x = graph.input_types(node)[0]
        window = node.op.window_over(x) if getattr(node.op, "pad", None) == "same" else None
        if window is None:
            continue
        axes = zip(window.extent, window.stride, x.size, strict=True)
        if any(extent % 2 == 0 and (stride == 1 or n % stride) for extent, stride, n in axes):
            kept = (-(-n // s) for n, s in zip(x.size, window.stride, strict=True))
            yield from warning(
                "even-same-window",
                graph,
                (node,),
                f"`same` cannot keep the size under an even window: {x} becomes {node.type}",
                (f"expected {sizes(kept)}, found {sizes(node.type.size)}",),
                "take an odd window, `pad=same_tf`, or say the padding in numbers",
            )
