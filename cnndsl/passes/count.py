"""How many layers a body has at the least, from its text alone: repetitions multiplied, through calls too.

Nothing is expanded, so a network of 10^18 layers is refused at once. Whatever only the values can tell (a condition, a
computed count) counts as nothing, so no network within the limits is refused.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from cnndsl.passes.draft.assembly import MOST_NODES, too_many
from cnndsl.passes.values.visible import is_layer
from cnndsl.passes.walk.calls import MOST_CALLS
from cnndsl.syntax import tree


class Count:
    """Counts in one file, whose blocks call each other."""

    def __init__(self, program: tree.Program) -> None:
        blocks = {s.name: s for s in program.statements if isinstance(s, tree.Block | tree.Model)}
        hidden = set(_set_anywhere(program.statements))
        self.blocks = {name: block for name, block in blocks.items() if name not in hidden}
        self._known: dict[str, int] = {}
        self._active: set[str] = set()

    def refuse_too_many(self, statements: tuple[tree.Statement, ...]) -> None:
        """Raises `too-many-nodes` at the first element that is too many by itself, or at the body that is."""
        total = 0
        for statement in statements:
            if not isinstance(statement, tree.ChainStatement | tree.Bind):
                continue
            for element in statement.chain.elements:
                total += self._element(element)
                if total > MOST_NODES:
                    raise too_many(element.span)

    def _body(self, statements: tuple[tree.Statement, ...]) -> int:
        chains = [s.chain for s in statements if isinstance(s, tree.ChainStatement | tree.Bind)]
        return sum(self._chain(chain) for chain in chains)

    def _chain(self, chain: tree.Chain) -> int:
        return sum(self._element(element) for element in chain.elements)

    def _element(self, element: tree.Element) -> int:
        return 0 if element.condition is not None else _rounds(element.repeat) * self._primary(element.primary)

    def _primary(self, primary: tree.Primary) -> int:
        if isinstance(primary, tree.Group):
            return self._chain(primary.chain)
        if isinstance(primary, tree.Merge):
            return _rounds(primary.each) * sum(
                self._chain(branch) for branch in primary.branches if isinstance(branch, tree.Chain)
            )
        if isinstance(primary, tree.Collected):
            return _rounds(primary.each) * self._chain(primary.chain)
        if isinstance(primary, tree.Invocation):
            return self._block(primary.name) if primary.name in self.blocks else int(is_layer(primary.name))
        return 0

    def _block(self, name: str) -> int:
        if name in self._active or len(self._active) >= MOST_CALLS:
            # A circle, or too deep: expanding it tells so.
            return 0
        if name not in self._known:
            self._active.add(name)
            self._known[name] = self._body(self.blocks[name].body)
            self._active.discard(name)
        return self._known[name]


def _rounds(repeat: tree.Times | tree.Each | None) -> int:
    match repeat:
        case None:
            return 1
        case tree.Times(count=tree.Number(value=int(count))):
            return count
        case tree.Each(values=tree.Range(first=tree.Number(value=int(first)), last=tree.Number(value=int(last)))):
            return max(last - first + 1, 0)
        case _:
            return 0


def _set_anywhere(part: Any) -> Iterator[str]:
    """Names that something other than a block may stand for."""
    pending = [part]
    while pending:
        node = pending.pop()
        if isinstance(node, tuple):
            pending.extend(node)
            continue
        if not isinstance(node, tree.Node):
            continue
        pending.extend(getattr(node, name) for name in node.fields()[1:])
        match node:
            case tree.Let() | tree.Param() | tree.Share() | tree.Parameter():
                yield node.name
            case tree.Bind():
                yield from node.names
            case tree.Tap():
                yield from node.names
            case tree.Targets():
                yield from (name for name in node.names if isinstance(name, str))
            case tree.Block():
                yield from node.takes
