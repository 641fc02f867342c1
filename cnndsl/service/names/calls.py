"""Who calls a block or model, and what it calls."""

from __future__ import annotations

from cnndsl.service.analysis import Analysis
from cnndsl.service.answers import Call, Place
from cnndsl.service.names.definition import named
from cnndsl.syntax import tree

_CALLED = (tree.Block, tree.Model, tree.Variant)


def call_at(analysis: Analysis, offset: int) -> Call | None:
    """The block or model whose name stands at an offset."""
    found = named(analysis, offset)
    if found is None or not isinstance(found.symbol.node, _CALLED):
        return None
    return _call(found.symbol.node, ())


def incoming(analysis: Analysis, name: str) -> tuple[Call, ...]:
    """The definitions of this text that call a block or model, or are given it, each with the places where."""
    symbol = analysis.bindings.top.get(name)
    uses = [Place(use.start, use.end) for use in symbol.uses] if symbol is not None else []
    owners = {s.span.start: s for s in analysis.program.statements if isinstance(s, _CALLED)}
    found = []
    for owner in owners.values():
        inside = tuple(use for use in uses if owner.span.start <= use.start < owner.span.end)
        if inside:
            found.append(_call(owner, inside))
    return tuple(found)


def outgoing(analysis: Analysis, name: str) -> tuple[Call, ...]:
    """The blocks and models of this text that one calls, or gives to others, each with the places where."""
    symbol = analysis.bindings.top.get(name)
    if symbol is None or not isinstance(symbol.node, _CALLED):
        return ()
    here = symbol.node.span
    found = []
    for other in analysis.bindings.top.values():
        if not isinstance(other.node, _CALLED) or other is symbol:
            continue
        inside = tuple(Place(u.start, u.end) for u in other.uses if here.start <= u.start < here.end)
        if inside:
            found.append(_call(other.node, inside))
    return tuple(found)


def _call(node: tree.Block | tree.Model | tree.Variant, calls: tuple[Place, ...]) -> Call:
    return Call(
        node.name,
        "block" if isinstance(node, tree.Block) else "model",
        Place(node.span.start, node.span.end),
        Place(node.name_span.start, node.name_span.end),
        calls,
    )
