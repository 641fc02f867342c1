"""Names for submodules whose names no state dict shows: layers without weights."""

from __future__ import annotations

from collections.abc import Callable, Collection

from cnndsl.backends.pytorch.expression import Expression
from cnndsl.backends.pytorch.names import TAKEN
from cnndsl.backends.pytorch.writing.layout import identifier, is_identifier, numbered, unused
from cnndsl.backends.pytorch.writing.regions import Scope
from cnndsl.ir.graph import Node


def attributes(scope: Scope, weighty: Collection[str], expression: Callable[[Node], Expression]) -> dict[str, str]:
    """The attribute of each submodule by its name. Equal layers without weights and without a label share one attribute."""
    attributes = {name: name for name in scope.children if name in weighty or is_identifier(name)}
    taken = {*attributes.values(), *TAKEN}
    shared: dict[Expression, str] = {}
    for name, child in scope.children.items():
        if name in weighty or (name in attributes and not _numbered(name, child)):
            continue
        assert isinstance(child, Node)
        made = expression(child)
        if made not in shared:
            shared[made] = unused(identifier(child.op.word.lower()), taken)
            taken.add(shared[made])
        attributes[name] = shared[made]
    return attributes


def distinct(scope: Scope, weighty: Collection[str]) -> dict[str, str]:
    """Names for a chain's layers without weights and label, among labelled ones: `relu1`, `relu2`."""
    renamed: dict[str, str] = {}
    if any(name.isdigit() for name in weighty):
        return renamed
    for name, child in scope.children.items():
        if isinstance(child, Node) and name not in weighty and (name.isdigit() or _numbered(name, child)):
            word = identifier(child.op.word.lower())
            taken = {*scope.children, *renamed.values()}
            renamed[name] = numbered(word, taken)
    return renamed


def positions(count: int) -> list[str]:
    return [str(index) for index in range(count)]


def _numbered(name: str, child: Scope | Node) -> bool:
    """Whether a layer without weights was named after its word for want of a label: `relu_1`."""
    return isinstance(child, Node) and name.rsplit("_", 1)[0] == child.op.word.lower() and name[-1:].isdigit()
