"""An activation that changes nothing: `ReLU` on what is never below zero.

`docs/errors/idle-activation.md` shows it.
"""

from __future__ import annotations

from collections.abc import Iterator

from cnndsl.analyses.lints import warning
from cnndsl.diagnostics.errors import Diagnostic
from cnndsl.ir.graph import Graph


def find(graph: Graph) -> Iterator[Diagnostic]:
    inputs = {given.name for given in graph.inputs}
    for node in graph.nodes:
        if not node.op.rectifies:
            continue
        name = node.inputs[0]
        while name not in inputs and graph[name].op.view:
            name = graph[name].inputs[0]
        if name not in inputs and graph[name].op.never_negative:
            before = graph[name]
            yield from warning(
                "idle-activation",
                graph,
                (node, before),
                f"this `{node.op.word}` changes nothing: after `{before.op.word}` no number is below zero",
                ("the second activation", "the first one"),
                "keep one of the two",
            )
