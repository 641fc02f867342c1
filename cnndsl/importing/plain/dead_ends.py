"""Layers that nothing reads and whose weights are in the state dict all the same: the end of what leads to them is kept."""

from __future__ import annotations

from dataclasses import replace

from cnndsl.importing.plain.words import RESHAPES, VIEWS
from cnndsl.importing.trace import UNREAD, Node, Trace


def with_dead_ends(trace: Trace) -> Trace:
    """The trace with further outputs, labelled `UNREAD`, for layers with weights that no output depends on."""
    if trace.inference is not None:
        return trace
    nodes = {node.name: node for node in trace.nodes}
    into = _written_into(nodes)
    read = _behind(nodes, [name for _, name in trace.outputs], into)
    weighed = [n for n in trace.nodes if n.name not in read and any(r.name in trace.weights for r in n.refs())]
    ends = [
        n.name for n in weighed if not any(n.name in _behind(nodes, _takes(m), into) for m in weighed if m is not n)
    ]
    return replace(trace, outputs=(*trace.outputs, *((UNREAD, name) for name in ends))) if ends else trace


def _takes(node: Node) -> list[str]:
    return [ref.name for ref in node.refs()]


def _written_into(nodes: dict[str, Node]) -> dict[str, list[str]]:
    """By tensor, the operations that write into it, or into a part of it."""
    found: dict[str, list[str]] = {}
    for node in nodes.values():
        if not node.target.endswith("_") or node.target.endswith("__"):
            continue
        here = node
        while (first := next(here.refs(), None)) is not None:
            found.setdefault(first.name, []).append(node.name)
            if first.name not in nodes or nodes[first.name].target.rstrip("_") not in (*VIEWS, *RESHAPES, "getitem"):
                break
            here = nodes[first.name]
    return found


def _behind(nodes: dict[str, Node], names: list[str], into: dict[str, list[str]]) -> set[str]:
    """All operations that these tensors depend on, their own included."""
    found: set[str] = set()
    pending = [name for name in names if name in nodes]
    while pending:
        name = pending.pop()
        if name not in found:
            found.add(name)
            pending += [other for other in (*_takes(nodes[name]), *into.get(name, ())) if other in nodes]
    return found
