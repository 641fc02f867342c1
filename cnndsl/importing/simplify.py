"""Patterns in order: each turns several operations into one that a layer recognises."""

from __future__ import annotations

from types import ModuleType

from cnndsl.importing.patterns import (
    anchors,
    asking,
    beside,
    cats,
    computed_weights,
    dropped,
    global_pool,
    norms,
    numbers,
    one_tensor,
    over_channels,
)
from cnndsl.importing.patterns.attending import attend, attention, layout, rotary
from cnndsl.importing.patterns.joined import cut, depthwise, embedded, padded
from cnndsl.importing.patterns.laying import (
    many_axes,
    merged,
    products,
    shuffles,
    spread,
    tokens,
    undone,
    windows,
)
from cnndsl.importing.patterns.spelled import gates, gelu, moments
from cnndsl.importing.plain.canonical import canonical
from cnndsl.importing.trace import Trace
from cnndsl.importing.web import Web, walk

PATTERNS: tuple[ModuleType, ...] = (
    windows,
    undone,
    numbers,
    padded,
    cut,
    depthwise,
    windows,
    many_axes,
    dropped,
    spread,
    computed_weights,
    attention,
    tokens,
    rotary,
    asking,
    attend,
    layout,
    merged,
    gates,
    gelu,
    shuffles,
    anchors,
    over_channels,
    embedded,
    tokens,
    moments,
    norms,
    one_tensor,
    global_pool,
    products,
    beside,
    cats,
    layout,
)
"""A later one may build on what an earlier one has made."""


def simplify(trace: Trace) -> Trace:
    """The trace in canonical form, patterns found."""
    web = Web(canonical(trace))
    web.sweep()
    for pattern in PATTERNS:
        for node in walk(web):
            if node.target in pattern.TARGETS and (new := pattern.rewrite(web, node)) is not None:
                web.replace(node, new)
                if new.target == "same":
                    web.forward(new, next(new.refs()))
    web.sweep()
    return web.trace_now()
