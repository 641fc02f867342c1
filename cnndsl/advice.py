"""Where the time and the parameters of a network go, and changes of its text that make it smaller or faster: each was tried, and has
its figures before and after.

A change is one of a few kinds: channels rounded to whole vectors, a mean before a wide fully connected layer, a window split in two.
What it gains is computed of the network that the changed text builds; there is no advice without a gain. Whether the network still learns
as well is another question, which only training answers.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from cnndsl.analyses.cost import cost, total
from cnndsl.analyses.document import NetworkTime, Summary
from cnndsl.analyses.params import params
from cnndsl.analyses.params import total as all_params
from cnndsl.diagnostics.errors import CnnError
from cnndsl.diagnostics.source import Source, Span
from cnndsl.ir.graph import Graph, Node
from cnndsl.ir.written import in_time
from cnndsl.ops.conv import Conv
from cnndsl.ops.fc import FC
from cnndsl.passes.read_program import Origin, read_program
from cnndsl.pipeline import load_plainly

MOST = 3
"""Changes that are told."""
_TRIED = 16
"""Changes that are tried: those of the layers with the most work and parameters."""
_VECTOR = 16
"""Numbers of the widest vectors."""
_LEAST = 0.03
"""The part of its figure that a change must gain."""

Timer = Callable[[Graph], float]


@dataclass(frozen=True)
class Figures:
    """Of a network."""

    params: int
    macs: int
    seconds: float | None

    @classmethod
    def of(cls, graph: Graph, timer: Timer | None) -> Figures:
        return cls(all_params(params(graph)).trained, total(cost(graph)).macs, None if timer is None else timer(graph))


@dataclass(frozen=True)
class Advice:
    """A change of the text, which was tried."""

    kind: str
    span: Span
    text: str
    """What to write in its place."""
    before: Figures
    after: Figures

    @property
    def gain(self) -> float:
        """The part of the time that is gained, or where no machine is named the mean part of work and parameters."""
        a, b = self.before, self.after
        if a.seconds and b.seconds is not None:
            return 1 - b.seconds / a.seconds
        return 1 - (b.macs / max(a.macs, 1) + b.params / max(a.params, 1)) / 2

    @property
    def figures(self) -> list[tuple[str, str, str]]:
        """The name of each figure, and what it is before and after."""
        a, b = self.before, self.after
        found = [("parameters", f"{a.params:,}", f"{b.params:,}"), ("MACs", f"{a.macs:,}", f"{b.macs:,}")]
        if a.seconds is not None and b.seconds is not None:
            found.insert(0, ("latency", in_time(a.seconds), f"{in_time(b.seconds)} ({-self.gain:+.0%})"))
        return found

    @property
    def lines(self) -> list[str]:
        """What to change, and both figures."""
        place = self.span.place
        return [
            f"{self.kind}, at {self.span.source.name}:{place.line}:{place.column}: write `{self.text}` for `{self.span.text}`",
            "  " + ", ".join(f"{name} {before} → {after}" for name, before, after in self.figures),
        ]


def advise(
    graph: Graph,
    origin: Origin,
    timer: Timer | None = None,
    parameters: Mapping[str, Any] | None = None,
    inputs: Mapping[str, str] | None = None,
) -> list[Advice]:
    """Up to `MOST` changes of the program that `graph` was built of, with these parameters and sizes, the most telling first; with `timer`, which gives seconds, those that
    make it faster, else those that make it smaller."""
    before = Figures.of(graph, timer)
    work, own = cost(graph), params(graph)
    weighty = [node for node in graph.nodes if node.name in work and node.name in own]
    shares = {
        node.name: work[node.name].macs / max(before.macs, 1) + own[node.name].trained / max(before.params, 1)
        for node in weighty
    }
    found: list[Advice] = []
    seen: set[tuple[int, str]] = set()
    for node in sorted(weighty, key=lambda node: -shares[node.name]):
        span = graph.span(node)
        if span is None or span.source.text != origin.source.text:
            continue
        for kind, place, text in _changes(graph, node, span):
            if (place.start, text) in seen or len(seen) >= _TRIED:
                continue
            seen.add((place.start, text))
            after = _tried(origin, place, text, timer, (parameters or {}, inputs or {}))
            if after is not None:
                found.append(Advice(kind, place, text, before, after))
    return _best(found)


def _best(found: list[Advice]) -> list[Advice]:
    """The best of each place."""
    kept: list[Advice] = []
    for advice in sorted(found, key=lambda one: -one.gain):
        if advice.gain >= _LEAST and all(advice.span.start != other.span.start for other in kept):
            kept.append(advice)
    return kept[:MOST]


def _tried(
    origin: Origin, span: Span, text: str, timer: Timer | None, given: tuple[Mapping[str, Any], Mapping[str, str]]
) -> Figures | None:
    """The figures of the network with a part of its text replaced; None where it cannot be built so."""
    old = origin.source
    source = Source(old.name, old.text[: span.start] + text + old.text[span.end :])
    try:
        return Figures.of(load_plainly(replace(origin, source=source), *given).graph, timer)
    except CnnError:
        return None


def _changes(graph: Graph, node: Node, span: Span) -> Iterator[tuple[str, Span, str]]:
    """Kinds of changes, where each is made, and its text."""
    if isinstance(node.op, Conv):
        yield from ((kind, span, text) for kind, text in _rounded(node.op.channels, span.text))
        yield from ((kind, span, text) for kind, text in _split(span.text))
    elif isinstance(node.op, FC):
        yield from _pooled(graph, node, span)


def _rounded(channels: int | None, text: str) -> Iterator[tuple[str, str]]:
    """Channels that are no whole vectors, up and down."""
    if channels is None or channels % _VECTOR == 0 or channels < _VECTOR or not re.search(rf"\({channels}\b", text):
        return
    for rounded in (channels // _VECTOR * _VECTOR, -(-channels // _VECTOR) * _VECTOR):
        yield "whole vectors of channels", re.sub(rf"\({channels}\b", f"({rounded}", text, count=1)


def _split(text: str) -> Iterator[tuple[str, str]]:
    """A window of five and more, as one along each axis."""
    match = re.fullmatch(r"Conv(\d+)(?:[x×]\1)?\(([^()]*)\)", text)
    if match is None or int(match[1]) < 5 or "x" not in text.replace("×", "x").partition("(")[0] or "=" in match[2]:
        return
    k, arguments = match.groups()
    yield "a window split in two", f"[Conv{k}x1({arguments}) → Conv1x{k}({arguments})]"


def _pooled(graph: Graph, node: Node, span: Span) -> Iterator[tuple[str, Span, str]]:
    """A fully connected layer that reads every position of a map: the mean of each channel before it."""
    flat = next((found for found in graph.nodes if found.name == node.inputs[0]), None)
    if flat is None or flat.op.word != "Flatten":
        return
    x = graph.types[flat.inputs[0]]
    if not x.rank or x.elements == x.channels:
        return
    written = graph.span(flat)
    if written is not None and written.text == "Flatten":
        yield "a mean before a wide layer", written, "GlobalAvgPool → Flatten"
    elif span.text.startswith("FC"):
        yield "a mean before a wide layer", span, f"[GlobalAvgPool → {span.text}]"


def advise_file(
    file: str,
    graph: Graph,
    timer: Callable[[Graph], NetworkTime] | None,
    parameters: Mapping[str, Any],
    inputs: Mapping[str, str],
) -> list[Advice] | None:
    """The same of a file or a built-in network; None for a network that is no program of ours."""
    seconds = None if timer is None else lambda graph: timer(graph).seconds
    try:
        # Standard input can be read once: its text is in the graph.
        origin = _piped(graph) if file == "-" else read_program(file)
    except CnnError:
        return None
    return advise(graph, origin, seconds, parameters, inputs)


def _piped(graph: Graph) -> Origin:
    return Origin(Source("<stdin>", graph.sources["<stdin>"]), None, "network", None)


NOTHING = f"no change that was tried gains {_LEAST:.0%}"


def advice_lines(summary: Summary, found: list[Advice] | None) -> list[str]:
    """For people: where figures go, and the changes."""
    lines = ["", "where it goes"]
    for name, parts in heaviest(summary).items():
        lines.append(f"  {name:<10}  " + ", ".join(f"{node} {100 * part:.0f} %" for node, part in parts))
    if found is None:
        return lines
    if not found:
        return [*lines, "", NOTHING]
    return [*lines, "", "changes that were tried", *(f"  {line}" for one in found for line in one.lines)]


def heaviest(summary: Summary) -> dict[str, list[tuple[str, float]]]:
    """Of each figure the three layers that have the most of it, with the part of the whole that each has."""
    figures: dict[str, dict[str, float]] = {
        "latency": {node.name: node.latency.seconds for node in summary.nodes if node.latency is not None},
        "parameters": {node.name: node.params for node in summary.nodes},
        "MACs": {node.name: node.macs for node in summary.nodes},
    }
    found = {}
    for name, of in figures.items():
        if whole := sum(of.values()):
            found[name] = [(node, part / whole) for node, part in sorted(of.items(), key=lambda one: -one[1])[:3]]
    return found
