"""Everything static about a network in one document: the JSON of `cnndsl summary --format json`, schema 1."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Literal

from cnndsl.analyses import cost as costs
from cnndsl.analyses import params as weights
from cnndsl.analyses import receptive_field as rf
from cnndsl.analyses.cost import Cost, cost
from cnndsl.analyses.depth import depth
from cnndsl.analyses.document import (
    FieldReport,
    InputReport,
    NetworkField,
    NodeReport,
    OutputReport,
    PeakMemory,
    Summary,
    Totals,
    WeightReport,
)
from cnndsl.analyses.memory import memory
from cnndsl.analyses.params import Params, params
from cnndsl.diagnostics.errors import Diagnostic
from cnndsl.diagnostics.formats import DiagnosticReport
from cnndsl.ir.graph import Graph, Node

Precision = Literal["f32", "f16", "bf16"]


def summarize(
    graph: Graph,
    diagnostics: Iterable[Diagnostic] = (),
    *,
    strict: bool = False,
    batch: int = 1,
    precision: Precision = "f32",
) -> Summary:
    """All figures of a network, as `cnndsl summary` shows them; `str()` of it is the table. `diagnostics` are put into the
    document. With `strict`, receptive fields also count what gates (squeeze-and-excitation) see. Memory is that of `batch`
    examples in numbers of this `precision`; all else is that of one example."""
    fields = rf.receptive_fields(graph, strict=strict)
    found = rf.network_receptive_field(graph, fields)
    state, work = params(graph), cost(graph)
    file = next(iter(graph.sources), None)
    reports: dict[int, FieldReport] = {}
    summary = Summary(
        model=graph.name,
        file=file,
        inputs=tuple(
            InputReport(name=i.name, shape=i.type.shape, dtype=i.type.dtype, channel_axis=i.type.channel_axis)
            for i in graph.inputs
        ),
        outputs=tuple(
            OutputReport(
                name=o.name,
                shape=graph.types[o.node].shape,
                training=o.training,
                channel_axis=graph.types[o.node].channel_axis,
            )
            for o in graph.outputs
        ),
        totals=_totals(graph, weights.total(state), costs.total(work), batch, precision),
        receptive_field=NetworkField(node=found[0], **_figures(found[1])) if found else None,
        nodes=tuple(_node(node, state, work, _field(fields[node.name], reports), file) for node in graph.nodes),
        weights=tuple(WeightReport(name=e.key, shape=e.weight.shape, trained=e.weight.trained) for e in graph.weights),
        diagnostics=tuple(map(DiagnosticReport.of, diagnostics)),
    )
    summary._table = lambda: _table(graph, summary)
    return summary


def _table(graph: Graph, summary: Summary) -> str:
    # Only who prints a summary pays for the table's imports.
    from cnndsl.analyses.outline import rows
    from cnndsl.analyses.table import to_text

    return to_text(rows(graph, summary))


def schema() -> dict[str, Any]:
    """The JSON Schema of the document."""
    return Summary.model_json_schema(by_alias=True, mode="serialization")


def _totals(graph: Graph, state: Params, work: Cost, batch: int, precision: Precision) -> Totals:
    needs = memory(graph, state)
    peak = needs
    if batch != 1 or precision != "f32":
        size = 4 if precision == "f32" else 2
        peak = memory(graph, weights.total(params(graph, size)), batch, size)
    return Totals(
        params=state.trained,
        trainable=state.trained,
        buffers=state.buffers,
        macs=work.macs,
        flops=work.flops,
        activations=needs.activations,
        activation_bytes=needs.activation_bytes,
        peak_memory_bytes=PeakMemory(
            inference=peak.inference, training=peak.training, batch=batch, precision=precision
        ),
        depth=depth(graph),
    )


def _node(
    node: Node, state: dict[str, Params], work: dict[str, Cost], field: FieldReport | None, file: str | None
) -> NodeReport:
    place, done = node.place, work.get(node.name, Cost())
    return NodeReport(
        name=node.name,
        op=node.op.word,
        inputs=node.inputs,
        shape=node.type.shape,
        params=state[node.name].trained if node.name in state else 0,
        macs=done.macs,
        flops=done.flops,
        activation_bytes=0 if node.op.view else node.type.bytes,
        receptive_field=field,
        span=place.range if place else None,
        file=place.file if place and place.file != file else None,
        channel_axis=node.type.channel_axis,
    )


def _field(field: rf.Field | None, reports: dict[int, FieldReport]) -> FieldReport | None:
    """The report of a field; nodes that share a field share its report."""
    if field is None:
        return None
    report = reports.get(id(field))
    if report is None:
        report = reports[id(field)] = FieldReport(**_figures(field))
    return report


def _figures(field: rf.Field) -> dict[str, Any]:
    stride = tuple(s if isinstance(s, int) else float(s) for s in field.stride)
    return {"size": field.size, "stride": stride, "start": field.start, "state": field.state}
