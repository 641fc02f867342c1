"""Lines above definitions: the figures of a model, how often a block is used."""

from __future__ import annotations

from collections.abc import Iterable

from cnndsl.service.analysis import Analysis
from cnndsl.service.answers import Lens, Place, short
from cnndsl.service.facts import field_text
from cnndsl.syntax import tree


def lenses(analysis: Analysis, models: Iterable[str | None]) -> tuple[Lens, ...]:
    """A line above each of these models with its figures, and above each block with the number of its uses."""
    found = []
    for model in models:
        place = _place(analysis, model)
        figures = _figures(analysis, model)
        if place is not None and figures:
            found.append(Lens(place, figures))
    for statement in analysis.program.statements:
        if isinstance(statement, tree.Block) and statement.name:
            symbol = analysis.bindings.top.get(statement.name)
            count = len(symbol.uses) if symbol is not None else 0
            place = Place(statement.name_span.start, statement.name_span.end)
            found.append(Lens(place, f"{count} use{'' if count == 1 else 's'}", "references" if count else ""))
    return tuple(sorted(found, key=lambda lens: lens.place.start))


def _place(analysis: Analysis, model: str | None) -> Place | None:
    for statement in analysis.program.statements:
        if model is None and isinstance(statement, tree.Input):
            return Place(statement.span.start, statement.span.end)
        if isinstance(statement, tree.Model | tree.Variant) and statement.name == model:
            return Place(statement.name_span.start, statement.name_span.end)
    return None


def _figures(analysis: Analysis, model: str | None) -> str:
    checked = analysis.checked(model)
    if not checked.whole or checked.summary is None:
        return ""
    totals, field = checked.summary.totals, checked.summary.receptive_field
    outputs = ", ".join("×".join(map(str, o.shape)) for o in checked.summary.outputs if not o.training)
    parts = [f"{short(totals.params)} parameters", f"{short(totals.macs)} MACs"]
    parts += [f"receptive field {field_text(field)}"] if field is not None else []
    parts += [f"{short(totals.peak_memory_bytes.inference)}B in inference", f"→ {outputs}"]
    return " · ".join(parts)
