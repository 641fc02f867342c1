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
        parts = [_parts(item, flow, body) for item in primary.items]
        wires = tuple(part for several in parts for part in several if isinstance(part, Wire))
        return wires if len(wires) == sum(map(len, parts)) else LOST
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


def _parts(item: tree.Primary, flow: Flow | None, body: Body) -> tuple[Wire | Lost, ...]:
    """What stands between two commas of a tuple: a tensor, or all those of a tuple that is named, which may be none."""
    named = named_tensor(item, flow, body)
    if named is not None:
        return named if isinstance(named, tuple) else (named,)
    if isinstance(item, tree.Invocation) and item.name in body.scope.visible() and body.scope.find(item.name) == ():
        return ()
    raise fault(
        "wrong-type", f"`{item.span.text}` is no tensor", item.span, help="put names of tensors in the brackets"
    )


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
