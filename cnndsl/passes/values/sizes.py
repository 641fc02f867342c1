"""The sizes of tensors that a program may ask for: `in.channels`, `e1.width`."""

from __future__ import annotations

from typing import Any

from cnndsl.diagnostics.errors import Fix, fault
from cnndsl.diagnostics.nearest import nearest
from cnndsl.passes.draft.flow import Wire
from cnndsl.passes.values import foreign_words
from cnndsl.syntax import tree

ATTRIBUTES = ("channels", "height", "width", "length", "depth", "size", "shape", "tokens")


def attribute_of(wire: Wire, value: tree.Attribute) -> Any:
    """One of a tensor's sizes. Raises `unknown-attribute` for a name that no tensor or this one does not have."""
    x, name = wire.type, value.name
    plain: dict[str, Any] = {"channels": x.channels, "size": list(x.size), "shape": list(x.shape)}
    axes = {1: ("length",), 2: ("height", "width"), 3: ("depth", "height", "width")}
    if x.kind == "tokens":
        plain["tokens"] = x.size[0]
    elif x.kind == "map":
        plain |= dict(zip(axes.get(x.rank, ()), x.size, strict=False))
    if name in plain:
        return plain[name]
    if name in ATTRIBUTES:
        raise fault(
            "unknown-attribute",
            f"a tensor of {x} has no {name}",
            value.name_span,
            notes=(f"expected one of {', '.join(plain)}, found {name}",),
            help=f"use `.{'size' if 'size' in plain else 'shape'}`",
        )
    close = foreign_words.ATTRIBUTES.get(name) or nearest(name, ATTRIBUTES)
    raise fault(
        "unknown-attribute",
        f"tensors have no `.{name}`",
        value.name_span,
        notes=(f"expected one of {', '.join(ATTRIBUTES)}",),
        help=f"did you mean `.{close}`?" if close else "use one of these",
        fixes=(Fix(value.name_span, close),) if close in plain else (),
    )
