"""What leaves a body: its `output` statements."""

from __future__ import annotations

from cnndsl.diagnostics.errors import CnnError, fault
from cnndsl.diagnostics.nearest import nearest
from cnndsl.diagnostics.source import Span
from cnndsl.passes.draft.flow import Lost, Wire
from cnndsl.passes.values.evaluate import truth
from cnndsl.passes.values.visible import unknown_word
from cnndsl.passes.walk.body import Body, Departures
from cnndsl.passes.walk.tensors import arriving, named_tensor
from cnndsl.syntax import tree


def depart(statement: tree.Output, body: Body, departures: Departures) -> None:
    """Adds what an `output` statement names. Raises `wrong-type` for what is no tensor."""
    for departure in statement.departures:
        training, others = _in_training(departure.condition)
        if not all(truth(condition, body.place()) for condition in others):
            continue
        flow = named_tensor(departure.tensor, None, body)
        if flow is None:
            raise _no_tensor(departure.tensor, body)
        if isinstance(flow, Lost):
            departures.lost = True
        name = (
            departure.tensor.name if isinstance(departure.tensor, tree.Invocation) and isinstance(flow, Wire) else None
        )
        departures.named += [(name, wire, training) for wire in arriving(flow)]


def _no_tensor(value: tree.Primary, body: Body) -> CnnError:
    if not isinstance(value, tree.Invocation):
        return fault(
            "wrong-type", f"`{value.span.text}` is no tensor", value.span, help="name a tensor: `output p3, p4`"
        )
    try:
        body.scope.find(value.name)
    except KeyError:
        return unknown_word(value.name, value, body.scope)
    close = nearest(value.name, body.scope.visible())
    return fault(
        "wrong-type",
        f"`{value.name}` is no tensor",
        value.span,
        help=f"did you mean `{close}`?" if close else "name a tensor",
    )


def _in_training(condition: tree.Value | None) -> tuple[bool, list[tree.Value]]:
    """Whether a condition asks for training, alone or as a part of `and`, and what it asks for at compile time."""
    if condition is None:
        return False, []
    parts = [condition]
    if isinstance(condition, tree.Operation) and all(operator == "and" for operator, _ in condition.rest):
        parts = [condition.first, *(part for _, part in condition.rest)]
    others = [part for part in parts if not (isinstance(part, tree.Name) and part.name == "training")]
    return len(others) < len(parts), others


def nothing_leaves(departures: Departures, span: Span) -> CnnError:
    """The error for a body without an end."""
    if departures.named:
        return fault(
            "nothing-to-build",
            "all that leaves here leaves only in training",
            span,
            "expected an `output` that always holds, or an unnamed chain",
            help="name one more tensor: `output main, aux if training`",
        )
    return fault(
        "nothing-to-build",
        "nothing is built here",
        span,
        "expected a chain of layers",
        help="write one: `Conv3x3(16) → ReLU`",
    )
