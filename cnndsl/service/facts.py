"""What is known at the end of each line: shapes, receptive field, parameters and work, exact, and kept through edits."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace

from cnndsl.analyses.document import FieldReport, Summary
from cnndsl.ir.graph import Graph
from cnndsl.passes.draft.flow import Flow, Wire
from cnndsl.service.analysis import Analysis, Checked
from cnndsl.service.answers import Fact


def facts(analysis: Analysis, models: Iterable[str | None]) -> tuple[Fact, ...]:
    """The facts of each line that the models reach, of the first of them that does, in order."""
    found: dict[int, Fact] = {}
    for model in models:
        for fact in _of(analysis, analysis.checked(model)):
            found.setdefault(fact.offset, fact)
    return tuple(found[offset] for offset in sorted(found))


def kept(before: Iterable[Fact], old: str, new: str, now: Iterable[Fact], *, whole: bool) -> tuple[Fact, ...]:
    """The facts of now, and where they say nothing of a line those from before an edit, marked as stale. Once a text is
    whole again, nothing stale is left."""
    known = {fact.offset: fact for fact in now}
    if whole:
        return tuple(known.values())
    for fact in before:
        offset = moved(fact.offset, old, new)
        if offset is not None and offset not in known:
            known[offset] = replace(fact, offset=offset, stale=True)
    return tuple(known[offset] for offset in sorted(known))


def moved(offset: int, old: str, new: str) -> int | None:
    """Where the line that ended at an offset of the old text ends in the new one; None where it was taken out."""
    first = _common(old, new)
    last = min(_common(old[::-1], new[::-1]), len(old) - first, len(new) - first)
    if offset < first:
        return offset
    if offset >= len(old) - last:
        shifted = offset + len(new) - len(old)
        return (
            shifted if new.startswith("\n", shifted) or shifted == len(new) or new.startswith("\r", shifted) else None
        )
    # Inside of what was replaced lines are told apart by their number alone, where as many stand there as before.
    ends = [first + match.start() for match in re.finditer("\n", new[first : len(new) - last])] + [len(new) - last]
    number, there = old.count("\n", first, offset), old.count("\n", first, len(old) - last) + 1
    if there != len(ends) and (number > 0 or not old[old.rfind("\n", 0, first) + 1 : first].strip()):
        return None
    end = new.find("\n", min(ends[min(number, len(ends) - 1)], len(new)))
    end = len(new) if end < 0 else end
    return end - (end > 0 and new[end - 1] == "\r")


def _common(one: str, other: str) -> int:
    """How many letters two texts begin with in common."""
    low, high = 0, min(len(one), len(other))
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if one[low:middle] == other[low:middle] else (low, middle - 1)
    return low


def _of(analysis: Analysis, checked: Checked) -> Iterable[Fact]:
    graph, summary = checked.graph, checked.summary
    fields: dict[str, FieldReport | None] = {}
    costs: dict[int, tuple[int, int]] = {}
    if graph is not None and summary is not None:
        fields = {node.name: node.receptive_field for node in summary.nodes}
        costs = _costs(graph, summary, analysis)
    for end, (flows, times) in _ends(analysis, checked).items():
        wires = [wire for flow in flows for wire in _wires(flow)]
        if not wires:
            continue
        shapes = [_shape(flow) for flow in flows if _wires(flow)]
        params, macs = costs.get(analysis.source.line_and_column(end)[0], (0, 0))
        yield Fact(
            end, tuple(dict.fromkeys(shapes)), times, field_text(fields.get(wires[-1].source.name)), params, macs
        )


def _ends(analysis: Analysis, checked: Checked) -> dict[int, tuple[list[Flow | None], int]]:
    """What leaves the last element of each line, by the offset of the line's end; of elements that end there together, the
    outermost. Holes count as nothing, and so does what ends with one: what comes to it leaves the line so far."""
    text = analysis.source.text
    holes = {end for start, end in checked.seen.flows if start == end}
    found: dict[int, tuple[tuple[int, int], list[Flow | None], int]] = {}
    for (start, end), noted in checked.seen.flows.items():
        if end in holes:
            continue
        line_end = _line_end(text, end)
        key = (end, -start)
        if line_end not in found or key > found[line_end][0]:
            found[line_end] = key, [left for _, left in noted], checked.seen.counts[start, end]
    for wire in checked.entrances:
        span = wire.source.span
        if span.source == analysis.source:
            found.setdefault(_line_end(text, span.end), ((span.end, -span.start), [wire], 1))
    return {end: (flows, times) for end, (_, flows, times) in found.items()}


def _line_end(text: str, offset: int) -> int:
    end = text.find("\n", offset)
    end = len(text) if end < 0 else end
    return end - 1 if end > offset and text[end - 1] == "\r" else end


def _costs(graph: Graph, summary: Summary, analysis: Analysis) -> dict[int, tuple[int, int]]:
    """Parameters and MACs of what stands on each line, or is called from it. A shared weight counts where it is used first."""
    name = analysis.source.name
    lines: list[set[int]] = []
    for frame in graph.frames:
        own = {frame.place.line} if frame.place is not None and frame.place.file == name else set()
        lines.append(own | (lines[frame.parent] if frame.parent is not None else set()))
    found: dict[int, tuple[int, int]] = {}
    for node, report in zip(graph.nodes, summary.nodes, strict=True):
        here = set(lines[node.frame]) if node.frame is not None else set()
        if node.place is not None and node.place.file == name:
            here.add(node.place.line)
        for line in here:
            params, macs = found.get(line, (0, 0))
            found[line] = params + report.params, macs + report.macs
    return found


def _wires(flow: Flow | None) -> tuple[Wire, ...]:
    if isinstance(flow, Wire):
        return (flow,)
    return tuple(wire for wire in flow if isinstance(wire, Wire)) if isinstance(flow, tuple) else ()


def _shape(flow: Flow | None) -> str:
    wires = [str(wire.type) for wire in _wires(flow)]
    return wires[0] if len(wires) == 1 else f"({', '.join(wires)})"


def field_text(field: FieldReport | None) -> str:
    """A receptive field as the table of `summary` shows it: `427 /32`, `all`, with `~` where paths disagree."""
    if field is None:
        return ""
    if field.state == "global":
        return "all"
    size, stride = _axes(field.size), _axes(field.stride)
    return f"{'~' if field.state == 'unaligned' else ''}{size} /{stride}"


def _axes(numbers: tuple[float, ...]) -> str:
    shown = [f"{number:g}" for number in numbers]
    return shown[0] if len(set(shown)) == 1 else "×".join(shown)
