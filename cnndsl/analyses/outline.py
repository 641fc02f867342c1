"""A network as a tree of rows, the way its text is nested: what a table shows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from cnndsl.analyses.document import FieldReport, NodeReport, Summary
from cnndsl.ir.graph import Frame, Graph, Node
from cnndsl.ir.tensor import TensorType

Key = tuple[object, ...]


@dataclass(frozen=True, slots=True)
class Row:
    """A layer, or a scope with the sums of what lies in it. `branches` says for each level whether more siblings follow.

    Of `times` alike rounds of a repeat one row stands for all: its figures are the sums of all rounds, its shape and
    receptive field the last one's; the rows below it are those of its first round.
    """

    label: str
    name: str
    title: str
    times: int
    type: TensorType
    params: int
    macs: int
    flops: int
    receptive_field: FieldReport | None
    latency: Mapping[str, float]
    """Seconds by reason; none where time was not asked for."""
    branches: tuple[bool, ...]
    is_scope: bool


@dataclass(frozen=True, slots=True)
class Outline:
    """The rows of a network in order, and the document they come from."""

    rows: tuple[Row, ...]
    summary: Summary
    inputs: tuple[TensorType, ...]


@dataclass(slots=True)
class _Part:
    """A frame or a node in the making of the tree."""

    frame: Frame | None
    node: Node | None = None
    parts: list[_Part] = field(default_factory=list)
    nodes: list[int] = field(default_factory=list)
    times: int = 1
    last: _Part | None = None


def rows(graph: Graph, summary: Summary, depth: int | None = None) -> Outline:
    """The tree of a network down to `depth` levels (all of them when None); what lies deeper is summed up."""
    found: list[Row] = []
    waiting = _siblings(_shown(_tree(graph).parts, graph), "", ())
    while waiting:
        part, scope, branches = waiting.pop()
        found.append(_row(part, scope, branches, graph, summary))
        if depth is None or len(branches) < depth:
            waiting += _siblings(_shown(part.parts, graph), _name(part) or scope, branches)
    return Outline(tuple(found), summary, tuple(given.type for given in graph.inputs))


def _tree(graph: Graph) -> _Part:
    root = _Part(None)
    opened: dict[int, _Part] = {}
    for index, node in enumerate(graph.nodes):
        path: list[int] = []
        frame = node.frame
        while frame is not None:
            path.append(frame)
            frame = graph.frames[frame].parent
        part = root
        for number in reversed(path):
            if number not in opened:
                opened[number] = _Part(graph.frames[number])
                part.parts.append(opened[number])
            part = opened[number]
            part.nodes.append(index)
        part.parts.append(_Part(None, node, nodes=[index]))
    return root


def _siblings(parts: Sequence[_Part], scope: str, above: tuple[bool, ...]) -> list[tuple[_Part, str, tuple[bool, ...]]]:
    """What still needs a row, the next one last."""
    return [(part, scope, (*above, n > 0)) for n, part in enumerate(reversed(parts))]


def _shown(parts: Sequence[_Part], graph: Graph) -> list[_Part]:
    """The parts that have a row: a nameless repeat gives way to its rounds, alike ones as one, and a round to what is in it."""
    found: list[_Part] = []
    waiting = list(reversed(parts))
    while waiting:
        part = waiting.pop()
        kind = part.frame.kind if part.frame else "layer"
        only = part.parts[0] if len(part.parts) == 1 else None
        if kind == "repeat" and part.frame and not part.frame.name:
            waiting += reversed(_folded(part.parts, graph))
        elif kind == "repeat":
            found.append(_Part(part.frame, None, _folded(part.parts, graph), part.nodes))
        elif kind == "round" and part.times == 1:
            waiting += reversed(part.parts)
        elif kind == "round" and only and not (only.frame and only.frame.kind == "repeat"):
            last = part.last.parts[0] if part.last else None
            found.append(_Part(only.frame, only.node, only.parts, part.nodes, part.times, last))
        else:
            found.append(part)
    return found


def _folded(rounds: Sequence[_Part], graph: Graph) -> list[_Part]:
    """Runs of alike rounds as one part each."""
    runs: list[_Part] = []
    alike: Key | None = None
    for part in rounds:
        key = _key(part, graph)
        if runs and key == alike:
            run = runs[-1]
            run.nodes += part.nodes
            run.times += 1
            run.last = part
        else:
            runs.append(_Part(part.frame, part.node, part.parts, list(part.nodes)))
        alike = key
    return runs


def _key(part: _Part, graph: Graph) -> Key:
    """What two rounds have in common when one stands for both: layers, shapes, and how they lie in each other."""
    nodes = [graph.nodes[n] for n in part.nodes]
    top = min((node.frame or 0 for node in nodes), default=0)
    return tuple(
        (node.op, tuple(x.shape for x in graph.input_types(node)), (node.frame or 0) - top, node.owns_weights)
        for node in nodes
    )


def _name(part: _Part) -> str:
    return part.node.name if part.node else part.frame.name if part.frame else ""


def _row(part: _Part, scope: str, branches: tuple[bool, ...], graph: Graph, summary: Summary) -> Row:
    inside = [summary.nodes[n] for n in part.nodes]
    nodes = [graph.nodes[n] for n in part.nodes]
    name = _name(part)
    first, last = name, _name(part.last) if part.last else name
    written = part.node.op.text() if part.node else part.frame.title if part.frame else ""
    if not name:
        # Rounds without a name of their own are known by the positions they take, and by what is in one of them.
        placed = [node.name for node in nodes if node.op.takes_position] or [node.name for node in nodes]
        first, last = placed[0], placed[-1]
        written = _chain(nodes[: len(nodes) // part.times])
    label = _under(first, scope)
    if last != first:
        label = f"{label}…{last.rpartition('.')[2]}"
    return Row(
        label=label,
        name=name,
        title="" if part.frame and written == label else written,
        times=part.times,
        type=nodes[-1].type,
        params=sum(report.params for report in inside),
        macs=sum(report.macs for report in inside),
        flops=sum(report.flops for report in inside),
        receptive_field=inside[-1].receptive_field,
        latency=_times(inside),
        branches=branches,
        is_scope=part.node is None,
    )


def _times(inside: Sequence[NodeReport]) -> dict[str, float]:
    found: dict[str, float] = {}
    for report in inside:
        if report.latency is not None:
            found[report.latency.reason] = found.get(report.latency.reason, 0.0) + report.latency.seconds
    return found


def _chain(nodes: Sequence[Node]) -> str:
    """A few layers that follow each other, as they are written; nothing for more, or where they branch."""
    follows = all(after.inputs == (before.name,) for before, after in pairwise(nodes))
    return " → ".join(node.op.text() for node in nodes) if follows and len(nodes) <= 3 else ""


def _under(name: str, scope: str) -> str:
    return name.removeprefix(scope + ".") if scope else name
