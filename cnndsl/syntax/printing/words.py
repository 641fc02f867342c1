"""Small texts that are the same wherever they stand, and the brackets of nodes."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from cnndsl.syntax import tree

_CONTROL = re.compile(r'("(?:[^"\\\n]|\\["\\])*")|[\t\r\f]')


@dataclass(frozen=True, slots=True)
class Brackets:
    """Things between two brackets. `start` is before the opening one, `end` behind the closing one."""

    opener: str
    nodes: Sequence[tree.Node]
    closer: str
    start: int
    end: int
    comma: Literal["never", "broken", "always"] = "broken"
    """Whether a comma follows the last one: never, where they stand on lines of their own, always."""


Bracketed = tree.Parenthesised | tree.TupleValue | tree.ListValue | tree.Tensors | tree.Index | tree.Pick


def items(node: Bracketed) -> Brackets:
    """The brackets that end a value."""
    start, end = node.span.start, node.span.end
    if isinstance(node, tree.Parenthesised):
        return Brackets("(", (node.value,), ")", start, end, comma="never")
    if isinstance(node, tree.Index):
        return Brackets("[", (node.index,), "]", node.of.span.end, end, comma="never")
    if isinstance(node, tree.Pick):
        return Brackets("[", (node.index,), "]", start + len(node.name), end, comma="never")
    if isinstance(node, tree.ListValue):
        return Brackets("[", node.items, "]", start, end)
    # `(x)` would be no tuple.
    return Brackets("(", node.items, ")", start, end, comma="always" if len(node.items) == 1 else "broken")


def targets(node: tree.Targets) -> str:
    """The names of a `for`."""
    return ", ".join(name if isinstance(name, str) else f"({targets(name)})" for name in node.names)


def tap(node: tree.Tap) -> str:
    """What stands behind `as`."""
    names = ", ".join(node.names)
    return f"({names})" if node.together else f"{names}[]" if node.gathers else names


def sign(node: tree.Unary) -> str:
    return "not " if node.operator == "not" else node.operator


def dots(node: tree.Range) -> str:
    """`..`, with spaces between ends that have spaces themselves."""
    if node.last is None:
        return ".."
    return " .. " if isinstance(node.first, tree.Operation) or isinstance(node.last, tree.Operation) else ".."


def quoted(text: str) -> str:
    """A text between quotes."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def label(node: tree.Label) -> str:
    """A label as it was written, but for tabs."""
    return _CONTROL.sub(lambda match: match[1] or " ", node.span.text)
