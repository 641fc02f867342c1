"""Rows of a map that nothing sees.

Stride, window and size do not fit: the last rows, or rows between the windows, are computed and never read.
`docs/errors/unseen-pixels.md` shows it.
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
        window = node.op.window_over(x)
        if (
            window is None
            or len(graph.consumers[node.inputs[0]]) > 1
            or node.op.category not in ("convolution", "pooling")
        ):
            continue
        out = window.output_size(x.size)
        gaps = [max(s - e, 0) * (o - 1) for s, e, o in zip(window.stride, window.extent, out, strict=True)]
        seen = [
            (o - 1) * s + e - b for o, s, e, b in zip(out, window.stride, window.extent, window.before, strict=True)
        ]
        left = [max(n - end, 0) for n, end in zip(x.size, seen, strict=True)]
        if any(gaps) or any(left):
            what = (
                _last(max(left), x.size[left.index(max(left))])
                if any(left)
                else f"{max(gaps)} rows between the windows"
            )
            yield from warning(
                "unseen-pixels",
                graph,
                (node,),
                f"`{node.op.word}` never sees {what}",
                (f"window {sizes(window.extent)}, stride {sizes(window.stride)}, on {x}",),
                "pad, or take an input whose size fits; `ceil=true` counts the last window of a pool"
                if any(left)
                else "take a window at least as large as the stride",
            )


def _last(rows: int, of: int) -> str:
    return f"the last of {of} rows" if rows == 1 else f"the last {rows} of {of} rows"
