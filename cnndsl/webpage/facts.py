"""The data of a network's page: the figures of the summary, and those that only the plots need."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from cnndsl.analyses.document import FieldReport, Summary
from cnndsl.analyses.memory import timeline
from cnndsl.analyses.needed import needed
from cnndsl.analyses.receptive_field import Field, receptive_fields
from cnndsl.analyses.table import totals
from cnndsl.backends.drawing.draw import element_ids
from cnndsl.calibration.report import QuantizationReport
from cnndsl.calibration.text import HEADER, rows
from cnndsl.calibration.text import facts as quantization_facts
from cnndsl.ir.graph import Graph, Node
from cnndsl.ir.written import in_time
from cnndsl.latency.kernels import outdated_words


def facts(
    graph: Graph,
    summary: Summary,
    quantized: QuantizationReport | None = None,
    advice: dict[str, Any] | None = None,
) -> dict[str, Any]:
    """The page's data: `layers` in order of execution, each with its figures, its element in the diagram and its line. `advice` is
    that of `advised`."""
    elements = element_ids(graph)
    live = timeline(graph)
    ran = {node.name for node in needed(graph)}
    sources = list(graph.sources)
    fields = receptive_fields(graph)
    pictured = _pictured(graph)
    layers = []
    for node, report in zip(graph.nodes, summary.nodes, strict=True):
        place = node.place
        layers.append(
            {
                "name": node.name,
                "kind": node.op.text(),
                "category": node.op.category,
                "shape": str(node.type),
                "params": report.params,
                "macs": report.macs,
                "flops": report.flops,
                "bytes": report.activation_bytes,
                "moved": _moved(graph, node) if node.name in ran else 0,
                "live": live.get(node.name),
                "seconds": report.latency.seconds if report.latency else None,
                "time": f"{in_time(report.latency.seconds)} {report.latency.reason}" if report.latency else None,
                "rf": _field(report.receptive_field),
                "views": _views(fields[node.name], pictured),
                "positions": list(node.type.size),
                "element": elements.get(node.name),
                "source": sources.index(place.file) if place and place.file in graph.sources else None,
                "lines": [place.line, place.end_line] if place else None,
                "column": place.column if place else None,
            }
        )
    return {
        "model": graph.name,
        "picture": list(graph.types[pictured].size) if pictured else None,
        "inputs": [f"{i.name} {i.type}" for i in graph.inputs],
        "totals": [[total.name, total.value] for total in totals(summary)],
        "layers": layers,
        "sources": [{"name": name, "lines": text.splitlines()} for name, text in graph.sources.items()],
        "warnings": list(_warnings(summary)),
        "quantized": None if quantized is None else _quantized(graph, quantized),
        "advice": advice,
    }


def _quantized(graph: Graph, report: QuantizationReport) -> dict[str, Any]:
    """What quantising cost: a row for each layer, with the number of the layer in `layers`."""
    numbers = {node.name: number for number, node in enumerate(graph.nodes)}
    return {
        "facts": quantization_facts(report),
        "head": HEADER,
        "rows": [
            {
                "layer": numbers[layer.name.partition(":")[0]],
                "cells": cells,
                "histogram": layer.histogram,
            }
            for layer, cells in zip(report.layers, rows(report), strict=True)
        ],
    }


def _moved(graph: Graph, node: Node) -> int:
    """Bytes that the layer reads and writes at batch 1: its inputs, its weights, its output."""
    if node.op.view:
        return 0
    weights = sum(weight.elements * 4 for weight in graph.node_weights(node).values())
    return sum(type.bytes for type in graph.input_types(node)) + weights + node.type.bytes


def _field(seen: FieldReport | None) -> dict[str, Any] | None:
    if seen is None:
        return None
    return {"size": list(seen.size), "stride": list(seen.stride), "state": seen.state}


def _pictured(graph: Graph) -> str | None:
    """The first input, if it has height and width: what receptive fields are shown over."""
    first = next(iter(graph.inputs), None)
    return first.name if first is not None and len(first.type.size) == 2 else None


def _views(field: Field | None, pictured: str | None) -> list[dict[str, Any]] | None:
    """Along height and width, what position 0 sees, in pixels, and how far the next one is from it; None for what lies in no picture."""
    if field is None or field.input != pictured or len(field.views) != 2:
        return None
    return [
        {"stride": float(v.stride), "first": float(v.first), "last": float(v.last), "state": v.state}
        for v in field.views
    ]


def _warnings(summary: Summary) -> Iterable[str]:
    for diagnostic in summary.diagnostics:
        yield f"{diagnostic.severity}[{diagnostic.id}]: {diagnostic.message}"
    if summary.latency is not None and summary.latency.outdated:
        yield outdated_words(summary.latency.machine)
