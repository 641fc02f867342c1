"""The document of `cnndsl summary --format json`, schema 1: everything static about a network."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, PrivateAttr

from cnndsl.diagnostics.formats import DiagnosticReport, Range


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, strict=True, extra="forbid", defer_build=True, populate_by_name=True)


class InputReport(_Frozen):
    """A tensor from outside; shapes are without the batch axis."""

    name: str
    shape: tuple[int, ...]
    dtype: str
    channel_axis: int = Field(default=0, exclude_if=lambda value: value == 0)
    """Which axis of the shape the channels are; given where they are not the first."""


class OutputReport(_Frozen):
    """A tensor that leaves the network."""

    name: str
    shape: tuple[int, ...]
    training: bool = Field(default=False, exclude_if=lambda value: not value)
    """Given where the output is there only in training."""
    channel_axis: int = Field(default=0, exclude_if=lambda value: value == 0)
    """Which axis of the shape the channels are; given where they are not the first."""


class PeakMemory(_Frozen):
    """Bytes at batch 1: weights, buffers and what is alive at once; in training also gradients and all activations."""

    inference: int
    training: int
    batch: int = Field(default=1, exclude_if=lambda value: value == 1)
    """Examples at once; given where it is not 1."""
    precision: Literal["f32", "f16", "bf16"] = Field(default="f32", exclude_if=lambda value: value == "f32")
    """Numbers that take the place of float32; given where these are others."""


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
    """The receptive field of the last feature map on the way to the main output; `global` where that sees everything."""

    node: str


class LayerTime(_Frozen):
    """What a layer of a compiled network takes in one run, estimated."""

    seconds: float
    """With the layers that its kernel computes on its way out."""
    reason: Literal["launch", "arithmetic", "weights", "maps"]
    """What takes most of it: starting threads, multiply-adds, weights or maps that come from memory."""


class NetworkTime(_Frozen):
    """What a run of the compiled network takes, estimated; given where it was asked for."""

    seconds: float
    error: float
    """Nine of ten networks are within this part of their estimate."""
    rough: bool
    """Whether the error may be larger: most of the time is in calls, or in kernels of which few were measured."""
    by_reason: dict[str, float]
    calls: int
    weight_bytes: int
    """Of the weights in a package."""
    map_bytes: int | None
    """Of the memory that a package without TVM has for its maps, exact; none where only compiling tells."""
    machine: str
    state: str
    """Where the threads of the machine ran while it was measured."""
    outdated: bool = Field(default=False, exclude_if=lambda value: not value)
    """Given, and true, where the machine was measured with other kernels than these: the times may be wrong."""
    precision: Literal["f32", "bf16", "int8"]
    batch: int


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
    channel_axis: int = Field(default=0, exclude_if=lambda value: value == 0)
    """Which axis of the shape the channels are; given where they are not the first."""
    latency: LayerTime | None = Field(default=None, exclude_if=lambda value: value is None)
    """Given where it was asked for, and where no other layer's kernel computes this one."""


class WeightReport(_Frozen):
    """One entry of the compiled module's `state_dict()`, in its order."""

    name: str
    shape: tuple[int, ...]
    trained: bool


class Summary(_Frozen):
    """The figures of a network: what `cnndsl summary --format json` prints."""

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
    latency: NetworkTime | None = Field(default=None, exclude_if=lambda value: value is None)
    """Given where it was asked for."""
    _table: Callable[[], str] | None = PrivateAttr(default=None)
    """Makes the table; None for a document that was read from JSON, whose network is not at hand."""

    def __str__(self) -> str:
        """The table, where the network is at hand."""
        return self._table() if self._table else super().__str__()

    def to_json(self, indent: int | None = None) -> str:
        """The document, with its keys in order."""
        return self.model_dump_json(by_alias=True, indent=indent)
