"""What nodes of a tree are made of."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from cnndsl.diagnostics.source import Span
from cnndsl.syntax import tree


def parts(node: Any) -> Iterator[Any]:
    """What a node is made of, its span aside."""
    for name in type(node).fields()[1:]:
        yield getattr(node, name)


def head(node: tree.Parameter | tree.Argument | tree.Pick) -> Span:
    """The place of the name with which a node begins."""
    start = node.span.start
    return Span(node.span.source, start, start + len(node.name or ""))


def nodes_in(part: Any, *, stop_at_repeats: bool = False) -> Iterator[tree.Node]:
    """Every node of a part of a tree, those inside of repeated elements aside if asked."""
    pending = [part]
    while pending:
        node = pending.pop()
        if isinstance(node, tuple):
            pending.extend(reversed(node))
        elif isinstance(node, tree.Node):
            yield node
            if stop_at_repeats and isinstance(node, tree.Element) and node.repeat is not None:
                pending.append(node.tap)
                continue
            pending.extend(reversed(list(parts(node))))
