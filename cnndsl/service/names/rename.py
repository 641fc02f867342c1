"""A name changed everywhere, or the reason why it cannot be."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from cnndsl.diagnostics.source import Source
from cnndsl.passes.values.visible import is_layer
from cnndsl.service.analysis import Analysis
from cnndsl.service.answers import Edit, Place
from cnndsl.service.bindings import bind
from cnndsl.service.bound import Symbol
from cnndsl.service.names.definition import named
from cnndsl.syntax import tree
from cnndsl.syntax.tolerant.parse import parse_tolerant
from cnndsl.syntax.vocabulary import RESERVED


class CannotRename(Exception):
    """A rename would change what the program says."""


def renamable(analysis: Analysis, offset: int) -> Place | None:
    """The name at an offset, if it is one that can be changed here."""
    found = named(analysis, offset)
    if found is None or (found.symbol.kind == "imported" and not _alias(found.symbol)):
        return None
    return Place(found.at.start, found.at.end)


def rename(
    analysis: Analysis, offset: int, name: str, neighbours: Mapping[Path, str] | None = None
) -> tuple[Edit, ...]:
    """The edits that give the name at an offset another one; `neighbours` are the other files of the project, whose `use`
    of it changes too. Raises `CannotRename`, with a reason for people."""
    found = named(analysis, offset)
    if found is None:
        raise CannotRename("no name stands here")
    symbol = found.symbol
    if symbol.kind == "imported" and not _alias(symbol):
        raise CannotRename(f"`{symbol.name}` is defined in another file: rename it there")
    _refuse(analysis, symbol, name)
    spans = {(span.start, span.end) for span in (*symbol.definitions, *symbol.uses)}
    edits = [Edit(start, end, name) for start, end in sorted(spans)]
    if analysis.bindings.top.get(symbol.name) is symbol and symbol.kind in ("block", "model", "function"):
        for path, text in (neighbours or {}).items():
            edits += _elsewhere(analysis, symbol.name, name, path, text)
    return tuple(edits)


def _alias(symbol: Symbol) -> bool:
    return bool(symbol.node[1].alias)


def _refuse(analysis: Analysis, symbol: Symbol, name: str) -> None:
    if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name) or name == "_":
        raise CannotRename(f"`{name}` is no name: letters, digits and `_`, a letter first")
    if name in RESERVED:
        raise CannotRename(f"`{name}` is a word of the language")
    if is_layer(name):
        raise CannotRename(f"`{name}` is a layer")
    if analysis.misread:
        raise CannotRename("the text has mistakes, so that not every use can be known: mend them first")
    places = [*symbol.definitions, *symbol.uses]
    for place in places:
        other = analysis.bindings.visible(place.start).get(name)
        if other is not None and other is not symbol:
            raise CannotRename(f"`{name}` is taken here, by what line {_line(other)} defines")
    for other in analysis.bindings.symbols:
        inside = [u for u in other.uses if analysis.bindings.visible(u.start).get(symbol.name) is symbol]
        if other.name == name and inside and other is not symbol:
            raise CannotRename(f"`{name}` would hide what line {_line(other)} defines")
    if symbol.kind in ("parameter", "setting"):
        for argument, span in analysis.bindings.unresolved:
            if argument == symbol.name:
                line, _ = span.source.line_and_column(span.start)
                raise CannotRename(
                    f"line {line} gives `{argument}` to a block that only building it tells: it may be this one"
                )


def _line(symbol: Symbol) -> int:
    span = symbol.definitions[0]
    return span.source.line_and_column(span.start)[0]


def _elsewhere(analysis: Analysis, old: str, new: str, path: Path, text: str) -> list[Edit]:
    """The edits in a file that uses the one that is analysed."""
    if analysis.path is None or old not in text:
        return []
    program = parse_tolerant(Source(str(path), text)).program
    edits: list[Edit] = []
    for statement in program.statements:
        if not isinstance(statement, tree.Use) or not statement.is_file:
            continue
        if (path.parent / statement.origin).resolve() != analysis.path.resolve():
            continue
        for item in statement.imported:
            if item.name == old:
                edits.append(Edit(item.name_span.start, item.name_span.end, new, path))
                symbol = bind(program).top.get(old)
                if item.alias is None and symbol is not None:
                    edits += [Edit(use.start, use.end, new, path) for use in symbol.uses]
    return edits
