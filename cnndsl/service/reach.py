"""Which definitions of a file need which others."""

from __future__ import annotations

from cnndsl.service.bound import Bindings
from cnndsl.syntax import tree

DEFINITIONS = (tree.Block, tree.Model, tree.Variant, tree.Function)


def reached(program: tree.Program, bindings: Bindings) -> dict[str, set[str]]:
    """By the name of each definition outside all bodies, the names of those that it speaks of, and of all that these do."""
    places = [(s.span.start, s.span.end, s.name) for s in program.statements if isinstance(s, DEFINITIONS)]
    direct: dict[str, set[str]] = {name: set() for _, _, name in places}
    for name, symbol in bindings.top.items():
        for use in symbol.uses:
            for start, end, owner in places:
                if start <= use.start < end and owner != name:
                    direct[owner].add(name)
    found: dict[str, set[str]] = {}
    for name in direct:
        seen, pending = set[str](), [name]
        while pending:
            for other in direct.get(pending.pop(), ()):
                if other not in seen:
                    seen.add(other)
                    pending.append(other)
        found[name] = seen
    return found
