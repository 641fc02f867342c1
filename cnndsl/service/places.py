"""Places of texts as an editor finds them, and what stands at an offset."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from cnndsl.diagnostics.source import Source, Span
from cnndsl.service.analysis import Analysis
from cnndsl.service.answers import Place
from cnndsl.service.nodes import parts
from cnndsl.syntax import tree

_WORD = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def located(source: Source, analysis: Analysis) -> Path | str | None:
    """Where a text lies: None for the one that is analysed, a path, or the name of a built-in file."""
    if source == analysis.source:
        return None
    unit = analysis.used.get(source.name)
    return unit.path if unit is not None and unit.path is not None else source.name


def place_of(span: Span, analysis: Analysis) -> Place:
    """A span as a place."""
    return Place(span.start, span.end, located(span.source, analysis))


def word_at(text: str, offset: int) -> Place | None:
    """The word that touches an offset."""
    start = text.rfind("\n", 0, offset) + 1
    for match in _WORD.finditer(text, start):
        if match.start() > offset:
            return None
        if offset <= match.end():
            return Place(match.start(), match.end())
    return None


def path_at(program: tree.Program, offset: int) -> list[tree.Node]:
    """The nodes that hold an offset, their ends included, the largest first."""
    found: list[tree.Node] = []
    pending: list[Any] = [program.statements]
    while pending:
        node = pending.pop()
        if isinstance(node, tuple):
            pending.extend(reversed([item for item in node if _holds(item, offset)]))
        elif isinstance(node, tree.Node) and _holds(node, offset):
            found.append(node)
            inside = [part for part in parts(node) if isinstance(part, tuple | tree.Node) and _holds(part, offset)]
            pending = list(reversed(inside))
    return found


def _holds(part: Any, offset: int) -> bool:
    if isinstance(part, tuple):
        return any(_holds(item, offset) for item in part)
    return isinstance(part, tree.Node) and part.span.start <= offset <= part.span.end
