"""The names that values speak of, and those that a `for` keeps to its rounds."""

from __future__ import annotations

from typing import Any

from cnndsl.passes.scope import Scope
from cnndsl.passes.values import loop_names
from cnndsl.passes.wording import fail
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
            raise fail(
                "tap-out-of-scope",
                f"`{name.name}` cannot be seen here",
                name.span,
                "this `if` decides about all rounds together",
                help="put it inside of the repeat: `[… if …] for …`",
            )
