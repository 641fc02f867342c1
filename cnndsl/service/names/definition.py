"""Where a name is defined, and every place that speaks of it."""

from __future__ import annotations

from dataclasses import dataclass

from cnndsl.diagnostics.source import Span
from cnndsl.service.analysis import Analysis
from cnndsl.service.answers import Place
from cnndsl.service.bindings import bind
from cnndsl.service.bound import Bindings, Symbol
from cnndsl.service.places import place_of
from cnndsl.syntax import tree


@dataclass(frozen=True)
class Named:
    """A symbol and the place of its name that was pointed at."""

    symbol: Symbol
    at: Span


def named(analysis: Analysis, offset: int) -> Named | None:
    """The name at an offset."""
    found = analysis.bindings.symbol_at(offset)
    return Named(*found) if found is not None else None


def definition(analysis: Analysis, offset: int) -> Place | None:
    """Where the name at an offset is defined: in another file for one that is used from there; the file itself for the
    origin of a `use`."""
    found = named(analysis, offset)
    if found is None:
        return _origin(analysis, offset)
    if found.symbol.kind == "imported":
        return imported(analysis, found.symbol) or place_of(found.symbol.definitions[0], analysis)
    return place_of(found.symbol.definition_for(found.at), analysis)


def imported(analysis: Analysis, symbol: Symbol) -> Place | None:
    """Where what a `use` brings in is defined; None where that cannot be read."""
    statement, item = symbol.node
    for other, bindings in _units(analysis, statement):
        target = bindings.top.get(item.name)
        if target is not None:
            return place_of(target.definitions[0], analysis)
        return Place(0, 0, place_of(Span(other.source, 0, 0), analysis).file)
    return None


def _units(analysis: Analysis, statement: tree.Use) -> list[tuple[tree.Program, Bindings]]:
    """The file that a `use` names, as read."""
    from cnndsl.diagnostics.errors import CnnError
    from cnndsl.passes.library.sources import on_disk, used_file

    try:
        origin = used_file(statement, analysis.source.name, analysis.path, on_disk)
    except CnnError:
        return []
    unit = analysis.used.get(origin.name)
    return [(unit.program, bind(unit.program))] if unit is not None else []


def _origin(analysis: Analysis, offset: int) -> Place | None:
    for statement in analysis.program.statements:
        if isinstance(statement, tree.Use) and statement.origin_span.start <= offset <= statement.origin_span.end:
            for other, _ in _units(analysis, statement):
                return place_of(Span(other.source, 0, 0), analysis)
    return None


def references(analysis: Analysis, offset: int, *, declaration: bool = True) -> tuple[Place, ...]:
    """Every place in this text that speaks of the name at an offset, in order."""
    found = named(analysis, offset)
    if found is None:
        return ()
    spans = [*(found.symbol.definitions if declaration else ()), *found.symbol.uses]
    return tuple(Place(start, end) for start, end in sorted({(span.start, span.end) for span in spans}))


def highlights(analysis: Analysis, offset: int) -> tuple[tuple[Place, bool], ...]:
    """The same places, each with whether the name is set there."""
    found = named(analysis, offset)
    if found is None:
        return ()
    marked = {(s.start, s.end): False for s in found.symbol.uses} | {
        (s.start, s.end): True for s in found.symbol.definitions
    }
    return tuple((Place(*place), marked[place]) for place in sorted(marked))
