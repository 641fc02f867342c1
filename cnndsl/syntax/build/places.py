"""Where the pieces of a rule stand, and how one is refused."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, NoReturn

from lark import Token

from cnndsl.diagnostics.errors import fault
from cnndsl.diagnostics.source import Source, Span
from cnndsl.syntax import tree

Children = list[Any]


@dataclass(eq=False, slots=True)
class Reading:
    """One text being read, or a part of it."""

    source: Source
    start: int
    """The offset in the text at which reading began."""
    parse_value: Callable[[Source, int, int], tree.Value]
    """Reads a part of a text, for values inside of labels."""
    comments: list[tree.Comment] = field(default_factory=list)
    depths: dict[int, int] = field(default_factory=dict)
    """How deep expressions nest in a value, by its identity; those that do not nest are left out."""
    tolerant: bool = False
    """Whether any text is to give a tree: then nothing is refused here."""


class Places(threading.local):
    """Places in the text being read, one text a thread, and the pieces of a rule by kind."""

    reading: Reading

    @property
    def source(self) -> Source:
        return self.reading.source

    def comment(self, token: Token) -> Token:
        """Keeps a comment, that the grammar leaves out."""
        self.reading.comments.append(tree.Comment(self._at(token), str(token).rstrip()))
        return token

    def _span(self, children: Children) -> Span:
        return self._at(children[0]).to(self._at(children[-1]))

    def _at(self, child: Any) -> Span:
        if isinstance(child, Token):
            assert child.start_pos is not None
            assert child.end_pos is not None
            return Span(self.source, child.start_pos + self.reading.start, child.end_pos + self.reading.start)
        span: Span = child.span
        return span

    def _refuse(self, id: str, message: str, span: Span, help: str) -> None:
        """Raises CnnError with one diagnostic, where the text has to be right."""
        if not self.reading.tolerant:
            refuse(id, message, span, help)

    @staticmethod
    def _only(children: Children, kind: str) -> list[Token]:
        return [c for c in children if isinstance(c, Token) and c.type == kind]

    @staticmethod
    def _nodes(children: Children, kind: Any = tree.Node) -> Children:
        return [c for c in children if isinstance(c, kind)]

    @staticmethod
    def _arguments(children: Children) -> tuple[Any, ...] | None:
        return next((c for c in children if isinstance(c, tuple)), None)


def refuse(id: str, message: str, span: Span, help: str) -> NoReturn:
    """Raises CnnError with one diagnostic."""
    raise fault(id, message, span, help=help)
