"""Everything static about a network in one document: the JSON of `cnndsl summary --format json`, schema 1."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, PrivateAttr

from cnndsl.analyses import cost as costs
from cnndsl.analyses import params as weights
from cnndsl.analyses import receptive_field as rf
from cnndsl.analyses.cost import Cost, cost
from cnndsl.analyses.depth import depth
from cnndsl.analyses.memory import memory
from cnndsl.analyses.params import Params, params
from cnndsl.diagnostics.errors import Diagnostic
from cnndsl.diagnostics.formats import DiagnosticReport, Range
from cnndsl.ir.graph import Graph, Node


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, strict=True, extra="forbid", defer_build=True, populate_by_name=True)


class InputReport(_Frozen):
    """A tensor from outside; shapes are without the batch axis, channels first."""

    name: str
    shape: tuple[int, ...]
    dtype: str


class OutputReport(_Frozen):
    """A tensor that leaves the network."""

    name: str
    shape: tuple[int, ...]
    training: bool = Field(default=False, exclude_if=lambda value: not value)
    """Given where the output is there only in training."""


class PeakMemory(_Frozen):
    """Bytes at batch 1: weights, buffers and what is alive at once; in training also gradients and all activations."""

    inference: int
    training: int


class Totals(_Frozen):
    """Sums over the network, at batch 1; work and activations are those of inference."""

    params: int
    """Elements of parameters."""
    trainable: int
    """Those of them that training changes."""
    buffers: int
    """Elements that training only observes, `num_batches_tracked` included."""
    macs: int
    """Multiply-adds of convolutions and matrix products."""
    flops: int
    """Two for each multiply-add, and one per element of all other arithmetic."""
    activations: int
    """Elements of all nodes' outputs; what is a mere view adds none."""
    activation_bytes: int
    peak_memory_bytes: PeakMemory
    depth: int
    """Layers with weights on the longest path, normalisations aside."""


class FieldReport(_Frozen):
    """On each axis, position `o` sees the input from `start + stride·o` on, `size` pixels of it.

    `exact`; `unaligned` where paths' centres disagree or positions see different amounts, and this holds all of them; or
    `global`, where every position sees the same.
    """

    size: tuple[int, ...]
    stride: tuple[int | float, ...]
    """Below 1 behind upsampling, 0 where every position sees the same."""
    start: tuple[int, ...]
    state: Literal["exact", "unaligned", "global"]


class NetworkField(FieldReport):
    """The receptive field of the last feature map before a global operation."""

    node: str


class NodeReport(_Frozen):
    """One layer or merge, in order of execution."""

    name: str
    op: str
    inputs: tuple[str, ...]
    shape: tuple[int, ...]
    params: int
    """Elements of the parameters it owns; 0 where it uses another node's."""
    macs: int
    flops: int
    activation_bytes: int
    receptive_field: FieldReport | None
    span: Range | None
    """Line, column, end line, end column in `file`."""
    file: str | None = Field(default=None, exclude_if=lambda value: value is None)
    """Given where the node is written in another file than the network's."""


class WeightReport(_Frozen):
    """One entry of the compiled module's `state_dict()`, in its order."""

    name: str
    shape: tuple[int, ...]
    trained: bool


class Summary(_Frozen):
    """What `cnndsl summary --format json` prints."""

    version: Literal[1] = Field(default=1, alias="schema")
    model: str
    file: str | None
    inputs: tuple[InputReport, ...]
    outputs: tuple[OutputReport, ...]
    totals: Totals
    receptive_field: NetworkField | None
    nodes: tuple[NodeReport, ...]
    weights: tuple[WeightReport, ...]
    diagnostics: tuple[DiagnosticReport, ...] = ()
    _graph: Graph | None = PrivateAttr(default=None)

    def __str__(self) -> str:
        """The table, where the network is at hand."""
        from cnndsl.analyses.outline import rows
        from cnndsl.analyses.table import to_text

        return to_text(rows(self._graph, summary=self)) if self._graph else super().__str__()

    def to_json(self, indent: int | None = None) -> str:
        """The document, with its keys in order."""
        return self.model_dump_json(by_alias=True, indent=indent)


def summarize(graph: Graph, diagnostics: Iterable[Diagnostic] = (), *, strict: bool = False) -> Summary:
    """All figures of a network. With `strict`, receptive fields count what gates see."""
    fields = rf.receptive_fields(graph, strict=strict)
    found = rf.network_receptive_field(graph, fields)
    state, work = params(graph), cost(graph)
    file = next(iter(graph.sources), None)
    reports: dict[int, FieldReport] = {}
    summary = Summary(
        model=graph.name,
        file=file,
        inputs=tuple(InputReport(name=i.name, shape=i.type.shape, dtype=i.type.dtype) for i in graph.inputs),
        outputs=tuple(
            OutputReport(name=o.name, shape=graph.types[o.node].shape, training=o.training) for o in graph.outputs
        ),
        totals=_totals(graph, weights.total(state), costs.total(work)),
        receptive_field=NetworkField(node=found[0], **_figures(found[1])) if found else None,
        nodes=tuple(_node(node, state, work, _field(fields[node.name], reports), file) for node in graph.nodes),
        weights=tuple(WeightReport(name=e.key, shape=e.weight.shape, trained=e.weight.trained) for e in graph.weights),
        diagnostics=tuple(map(DiagnosticReport.of, diagnostics)),
    )
    summary._graph = graph
    return summary


def schema() -> dict[str, Any]:
    """The JSON Schema of the document."""
    return Summary.model_json_schema(by_alias=True, mode="serialization")


def _totals(graph: Graph, state: Params, work: Cost) -> Totals:
    needs = memory(graph, state)
    return Totals(
        params=state.trained,
        trainable=state.trained,
        buffers=state.buffers,
        macs=work.macs,
        flops=work.flops,
        activations=needs.activations,
        activation_bytes=needs.activation_bytes,
        peak_memory_bytes=PeakMemory(inference=needs.inference, training=needs.training),
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
