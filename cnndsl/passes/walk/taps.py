"""What `as` names: a tensor, the parts of a tuple, or the tensors of all rounds gathered in one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from cnndsl.diagnostics.errors import CnnError, fault
from cnndsl.diagnostics.source import Span
from cnndsl.passes.draft.flow import LOST, Flow, Lost
from cnndsl.passes.walk.body import Body
from cnndsl.passes.walk.tensors import arriving
from cnndsl.syntax import tree

Bind = Callable[[str, Any, Span, Body], None]


def bind_tap(tap: tree.Tap, flow: Flow, body: Body, bind: Bind) -> None:
    """Gives what has been reached the names behind `as`. Raises CnnError."""
    if tap.gathers:
        _gather(tap, flow, body, bind)
    elif tap.together:
        bind_parts(tap.names, tap.name_spans, flow, tap.span, body, bind)
    else:
        bind(tap.names[0], flow, tap.name_spans[0], body)


def bind_parts(names: tuple[str, ...], spans: tuple[Span, ...], flow: Flow, at: Span, body: Body, bind: Bind) -> None:
    """Gives each part of a tuple its name. Raises `wrong-number-of-tensors`."""
    wires = (LOST,) * len(names) if isinstance(flow, Lost) else arriving(flow)
    if len(wires) != len(names):
        raise fault(
            "wrong-number-of-tensors",
            f"{len(wires)} tensor{'s' if len(wires) != 1 else ''} for {len(names)} names",
            at,
            f"expected {len(names)}, found {len(wires)}",
            help="give as many names as tensors arrive; `_` names what is not used",
        )
    for name, wire, span in zip(names, wires, spans, strict=True):
        bind(name, wire, span, body)


def lose_tap(tap: tree.Tap, body: Body) -> None:
    """What an error has taken away is lost, so that its users keep quiet."""
    for name in tap.names:
        if name == "_":
            continue
        scope = body.gathers if tap.gathers and body.gathers is not None else body.scope
        scope.names[name] = LOST


def begin_gathering(names: tuple[str, ...], body: Body) -> None:
    """Before the rounds of a repeat: what they are about to gather is an empty tuple yet, or what an earlier repeat of
    this body has gathered under the name."""
    for name in names:
        if name not in body.scope.gathered and name != "_":
            body.scope.names[name] = ()
            body.scope.gathered.add(name)
            body.scope.inner.pop(name, None)
            body.scope.later.pop(name, None)


def gathered_in(part: Any) -> tuple[str, ...]:
    """The names under which the rounds of a repeat gather; those of repeats inside of it are not among them."""
    found: list[str] = []
    pending = [part]
    while pending:
        node = pending.pop()
        if isinstance(node, tuple):
            pending.extend(node)
        elif isinstance(node, tree.Chain):
            pending.extend(node.elements)
        elif isinstance(node, tree.Group):
            pending.append(node.chain)
        elif isinstance(node, tree.Merge):
            pending.extend(node.branches if node.each is None else ())
        elif isinstance(node, tree.Element):
            if node.tap is not None and node.tap.gathers:
                found += node.tap.names
            if node.repeat is None:
                pending.append(node.primary)
            if node.condition is not None and node.condition.otherwise is not None:
                pending.append(node.condition.otherwise)
    return tuple(dict.fromkeys(found))


def _gather(tap: tree.Tap, flow: Flow, body: Body, bind: Bind) -> None:
    (name,), (span,) = tap.names, tap.name_spans
    scope = body.gathers
    if scope is None:
        raise _no_rounds(tap)
    if name == "_":
        return
    begin_gathering((name,), _holding(body))
    before = scope.names[name]
    gathered = LOST if before is LOST or isinstance(flow, Lost) else (*before, *arriving(flow))
    bind(name, gathered, span, _holding(body))


def _holding(body: Body) -> Body:
    """The body around the repeat, to whose scope gathered names belong."""
    assert body.gathers is not None
    return Body(body.gathers, body.names, body.entered)


def _no_rounds(tap: tree.Tap) -> CnnError:
    return fault(
        "gathered-outside-repeat",
        f"`as {tap.names[0]}[]` gathers the tensors of several rounds, and no repeat is around it",
        tap.span,
        "expected it inside of `[ … ]×n`, or of a `for`",
        help=f"name one tensor: `as {tap.names[0]}`; or put the element and its `as` into the brackets of a repeat",
    )
