"""A trace that was read from a file as a program, proved as far as can be without running what the file says."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from cnndsl.analyses.summary import summarize
from cnndsl.importing.imported import Imported, Report, first_proved, lines_of, net_of
from cnndsl.importing.match import Net, Piece
from cnndsl.importing.proving.paired import paired
from cnndsl.importing.proving.proof import Agreement
from cnndsl.importing.refuse import EXPORT_AGAIN, MISFITS, Unproved, Unread, unreadable
from cnndsl.importing.trace import Trace
from cnndsl.ir.graph import Graph
from cnndsl.pipeline import parse_text

Compare = Callable[[Graph, Mapping[str, str], Mapping[str, str]], Agreement]
"""Outputs of a graph and of the source, given the source's key for each weight and its name for each tensor. Raises
`Unproved`."""


def import_trace(trace: Trace, source: str, compare: Compare, *, forms: Sequence[str] = ()) -> Imported:
    """The program of a trace with its weights. Raises `CnnError` (cannot-import)."""
    net = net_of_file(trace, source)
    found: dict[str, Any] = {}

    def prove(text: str) -> Graph:
        graph = parse_text(text, f"{trace.name}.cnn").graph
        pairs = paired(graph, net)
        found["keys"] = _keys(graph, pairs, trace)
        found["agreement"] = compare(graph, found["keys"], {ours: theirs.name for ours, theirs in pairs.items()})
        return graph

    form, text, graph = first_proved(net, f"{trace.name}, imported from {source}.", source, forms, prove)
    keys, agreement, totals = found["keys"], found["agreement"], summarize(graph).totals
    report = Report(
        source=source,
        form=form,
        lines=lines_of(text),
        params=totals.params,
        macs=totals.macs,
        weights=len(graph.weights),
        keys="equal" if all(ours == theirs for ours, theirs in keys.items()) else "renamed",
        max_rel_error=agreement.drawn,
        max_rel_error_given=agreement.given,
    )
    return Imported(text, graph, _weights(graph, keys, trace), report)


def net_of_file(trace: Trace, source: str) -> Net:
    """The layers of a trace that was read from a file, which may be damaged. Raises `CnnError` (cannot-import)."""
    try:
        return net_of(trace, source)
    except MISFITS as error:
        raise unreadable(source, Unread("its operations do not fit each other", EXPORT_AGAIN)) from error


def _keys(graph: Graph, pairs: Mapping[str, Piece], trace: Trace) -> dict[str, str]:
    """The source's key for each of ours; counts of batches may be missing there."""
    keys = {}
    for entry in graph.weights:
        piece = pairs.get(entry.node)
        if piece is None:
            raise Unproved(f"`{entry.key}` belongs to no operation of the source")
        theirs = f"{piece.label}.{entry.slot}" if entry.slot else piece.label
        if theirs in trace.state:
            if trace.state[theirs].shape != entry.weight.shape:
                raise Unproved(f"`{entry.key}` is {entry.weight.shape} here and {trace.state[theirs].shape} there")
        elif entry.slot != "num_batches_tracked":
            raise Unproved(f"`{entry.key}` has no counterpart")
        keys[entry.key] = theirs
    return keys


def _weights(graph: Graph, keys: Mapping[str, str], trace: Trace) -> dict[str, Any]:
    import numpy as np

    found = {}
    for entry in graph.weights:
        theirs = keys[entry.key]
        found[entry.key] = (
            np.asarray(trace.array(theirs), dtype=entry.weight.dtype)
            if theirs in trace.state
            else np.zeros(entry.weight.shape, entry.weight.dtype)
        )
    return found
