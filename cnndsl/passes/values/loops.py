"""What a `for` brings each round, and the names it keeps to itself."""

from __future__ import annotations

from typing import Any

from cnndsl.diagnostics.errors import fault
from cnndsl.diagnostics.source import Span
from cnndsl.passes.values.functions import items
from cnndsl.passes.values.kinds import kind
from cnndsl.passes.values.scope import Scope
from cnndsl.passes.values.visible import is_layer
from cnndsl.syntax import tree


def names_in(value: tree.Value) -> list[tree.Name]:
    """The names that a value speaks of."""
    found: list[tree.Name] = []
    pending: list[Any] = [value]
    while pending:
        node = pending.pop()
        if isinstance(node, tree.Name):
            found.append(node)
        elif isinstance(node, tuple):
            pending.extend(node)
        elif isinstance(node, tree.Node):
            pending.extend(getattr(node, name) for name in type(node).fields() if name != "span")
    return found


def refuse_loop_names(repeat: tree.Each, condition: tree.Value, scope: Scope) -> None:
    """Refuses the `if` behind a `for` that speaks of what each round brings: it decides about all of them."""
    names = set(loop_names(repeat.targets)) - scope.visible()
    for name in names_in(condition):
        if name.name in names:
            raise fault(
                "tap-out-of-scope",
                f"`{name.name}` cannot be seen here",
                name.span,
                "this `if` decides about all rounds together",
                help="put it inside of the repeat: `[… if …] for …`",
            )


def bound_rounds(targets: tree.Targets, sequence: Any, span: Span, scope: Scope) -> list[dict[str, Any]]:
    """What the names of a `for` through `sequence`, written at `span`, stand for, round by round."""
    if not isinstance(sequence, list | tuple):
        raise fault(
            "wrong-type",
            f"expected a list to go through, found {kind(sequence)}",
            span,
            help="write a list or a range: `1..6`",
        )
    for name in loop_names(targets):
        if is_layer(name):
            raise fault(
                "shadows-layer",
                f"`{name}` is a layer and cannot be a name",
                targets.span,
                help=f"call it `{name.lower()}_`",
            )
    scope.spend(len(sequence))
    return [_bound(targets, item) for item in items(sequence)]


def loop_names(targets: tree.Targets) -> list[str]:
    """The names of a `for`, those in parentheses included."""
    return [name for part in targets.names for name in ([part] if isinstance(part, str) else loop_names(part))]


def _bound(targets: tree.Targets, item: Any) -> dict[str, Any]:
    names = targets.names
    if len(names) == 1:
        # `for (a, b) in pairs` is `for a, b in pairs`.
        return _named_item(names[0], item) if isinstance(names[0], str) else _bound(names[0], item)
    if not isinstance(item, list | tuple) or len(item) != len(names):
        found = f"{len(item)} values" if isinstance(item, list | tuple) else kind(item)
        raise fault(
            "wrong-type",
            f"a round brings {found} for the {len(names)} names {', '.join(map(_named, names))}",
            targets.span,
            f"expected {len(names)} values, found {found}",
            help="give as many names as each item has parts",
        )
    bound: dict[str, Any] = {}
    for name, part in zip(names, item, strict=True):
        bound |= _named_item(name, part) if isinstance(name, str) else _bound(name, part)
    return bound


def _named_item(name: str, item: Any) -> dict[str, Any]:
    return {} if name == "_" else {name: item}


def _named(target: str | tree.Targets) -> str:
    return f"`{target}`" if isinstance(target, str) else f"`({', '.join(loop_names(target))})`"
