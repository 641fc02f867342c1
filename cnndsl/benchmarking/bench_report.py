"""What a benchmark found, as one document: the JSON of `cnndsl bench --format json`, schema 1."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)


class Port(_Frozen):
    """An input, without the batch axis."""

    name: str
    shape: tuple[int, ...]


class Machine(_Frozen):
    """Where it was measured."""

    cpu: str
    cores: int
    """How many this process may use."""
    target: str
    """LLVM's name of the processor."""
    cache_bytes: int | None
    """Size of the last level of cache."""
    system: str
    versions: dict[str, str]


class Roofline(_Frozen):
    """What all threads together reach at most on this machine, as measured."""

    gflops: float
    """Operations on numbers of the report's dtype, a multiply-add being two."""
    memory_gb_s: float
    cache_gb_s: float | None


class Row(_Frozen):
    """One engine: percentiles over all its runs."""

    engine: str
    mode: str
    """`untuned` or `tuned` for our package; for a peer the mode that it was told to run in, or what quantised it."""
    p50_ms: float
    p90_ms: float
    p99_ms: float
    runs: int
    ratio: float
    """Our time divided by this engine's: the median over rounds of the ratio of medians. Below 1 our package is
    faster."""
    max_rel_error: float
    """Over all outputs, in units of an output's largest value."""
    compile_s: float


class KernelRow(_Frozen):
    """One call of a kernel in our package."""

    layers: tuple[str, ...]
    kernel: str
    function: str
    shape: tuple[int, ...]
    """Of the result, batch included."""
    ms: float
    share: float
    """Of the time of all kernels."""
    macs: int
    gflops: float
    """Operations of the layer as it is defined; Winograd's take fewer, and may pass the machine's limit."""
    bytes: int
    """Weights and maps, read and written."""
    roofline_ms: float
    of_roofline: float
    """`roofline_ms / ms`."""


class BenchReport(_Frozen):
    """What `cnndsl bench --format json` prints."""

    # The name of the document in its published schema.
    model_config = ConfigDict(title="Report")

    version: Literal[1] = Field(default=1, alias="schema")
    network: str
    inputs: tuple[Port, ...]
    threads: int
    batch: int
    dtype: Literal["float32", "bfloat16", "int8"]
    macs: int
    """Multiply-adds of one run, which has a batch of examples."""
    roofline_ms: float
    """The sum over kernels of the longer of arithmetic and traffic at the machine's limits."""
    of_roofline: float
    """`roofline_ms` divided by the median time of our package."""
    limits: Roofline
    machine: Machine
    rounds: int
    seconds: float
    """The length of one block."""
    reference: str
    """The engine and precision that errors are taken against."""
    rows: tuple[Row, ...]
    kernels: tuple[KernelRow, ...] | None = None
    notes: tuple[str, ...] = ()

    def to_json(self, indent: int | None = None) -> str:
        """The document, with its keys in order."""
        return self.model_dump_json(by_alias=True, indent=indent)


def schema() -> dict[str, Any]:
    """The JSON Schema of the document."""
    return BenchReport.model_json_schema(by_alias=True, mode="serialization")
