"""Elements that are tensors: names, `in`, tuples, parts of a tuple."""

from __future__ import annotations

from typing import Any

from cnndsl.diagnostics.errors import fault
from cnndsl.passes.draft.flow import LOST, Flow, Lost, Wire
from cnndsl.passes.values.evaluate import evaluate
from cnndsl.passes.walk.body import Body
from cnndsl.syntax import tree


def named_tensor(primary: tree.Primary, flow: Flow | None, body: Body) -> Flow | None:
    """The tensor or tensors that an element names; None for anything else."""
    if isinstance(primary, tree.This):
        return entered(primary, body) if primary.name == "in" else flow
    if isinstance(primary, tree.Tensors):
        parts = tuple(named_tensor(item, flow, body) for item in primary.items)
        for part, item in zip(parts, primary.items, strict=True):
            if not isinstance(part, Wire | Lost):
                raise fault(
                    "wrong-type",
                    f"`{item.span.text}` is no tensor",
                    item.span,
                    help="put names of tensors in the brackets",
                )
        wires = tuple(part for part in parts if isinstance(part, Wire))
        return wires if len(wires) == len(parts) else LOST
    if not isinstance(primary, tree.Invocation | tree.Pick) or getattr(primary, "arguments", None) is not None:
        return None
    try:
        found = body.scope.find(primary.name)
    except KeyError:
        return None
    if isinstance(primary, tree.Pick) and isinstance(found, list | tuple):
        found = picked(primary, body)
    if not is_flow(found):
        return None
    return LOST if isinstance(found, tuple) and LOST in found else found


def entered(this: tree.This, body: Body) -> Flow:
    if body.entered is None:
        raise fault(
            "missing-input",
            "nothing has entered the network yet",
            this.span,
            help="say what comes in first: `input 3×224×224`",
        )
    return body.entered


def picked(pick: tree.Pick, body: Body) -> Any:
    name = tree.Name(pick.span, pick.name)
    return evaluate(tree.Index(pick.span, name, pick.index), body.place())


def arriving(flow: Flow) -> tuple[Wire, ...]:
    """The tensors of a flow as a tuple."""
    return flow if isinstance(flow, tuple) else (flow,) if isinstance(flow, Wire) else ()


def is_flow(value: Any) -> bool:
    """Whether a value is a tensor or several, lost ones included."""
    if isinstance(value, tuple):
        return bool(value) and all(isinstance(item, Wire | Lost) for item in value)
    return isinstance(value, Wire | Lost)
