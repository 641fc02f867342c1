"""Names of a text, as they are bound: what sets each of them, and what speaks of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

from cnndsl.diagnostics.source import Span
from cnndsl.syntax import tree

Kind = Literal[
    "value", "parameter", "setting", "function", "block", "model", "share", "tensor", "input", "loop", "imported"
]


@dataclass(eq=False)
class Symbol:
    """A name in its scope: every place that sets it, and every place that speaks of it."""

    name: str
    kind: Kind
    node: Any
    """The node that sets it first."""
    definitions: list[Span] = field(default_factory=list)
    uses: list[Span] = field(default_factory=list)
    parent: tree.Block | tree.Model | tree.Function | None = None
    """The definition whose body or head sets it."""

    def definition_for(self, use: Span) -> Span:
        """The place that set the name last before a use of it."""
        before = [span for span in self.definitions if span.start <= use.start]
        return before[-1] if before else self.definitions[0]


@dataclass
class Bindings:
    """All names of one text."""

    symbols: list[Symbol] = field(default_factory=list)
    at: dict[int, Symbol] = field(default_factory=dict)
    """The symbol by the offset at which a definition or use begins."""
    top: dict[str, Symbol] = field(default_factory=dict)
    """What stands outside all bodies, and so can be used by other files."""
    visible_in: list[tuple[Span, dict[str, Symbol]]] = field(default_factory=list)
    """The names of each scope, and where it holds; inner ones come later."""
    unresolved: list[tuple[str, Span]] = field(default_factory=list)
    """Arguments given by name to something that only a walk could tell."""

    def symbol_at(self, offset: int) -> tuple[Symbol, Span] | None:
        """The symbol at an offset, its end included, and the place of its name there."""
        for symbol in self.symbols:
            for span in (*symbol.definitions, *symbol.uses):
                if span.start <= offset <= span.end:
                    return symbol, span
        return None

    def visible(self, offset: int) -> dict[str, Symbol]:
        """The names that can be seen from an offset."""
        seen: dict[str, Symbol] = {}
        for span, names in self.visible_in:
            if span.start <= offset <= span.end:
                seen |= names
        return seen
