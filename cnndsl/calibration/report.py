"""What quantising a network cost it in accuracy, as one document: the JSON of `cnndsl quantize --format json`, schema 1."""

from __future__ import annotations

from math import isfinite
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from cnndsl.arrays.weight_files import QUANTIZED, read_texts
from cnndsl.diagnostics.errors import CnnError, Diagnostic
from cnndsl.ir.graph import Graph
from cnndsl.quantization.file import not_quantized
from cnndsl.version import __version__

REPORT = "report"
"""Under which name a quantised network's file has the document in its `about`."""


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)


class LayerError(_Frozen):
    """One layer, with the sums and the activation that are computed with it."""

    name: str
    layers: tuple[str, ...]
    """The words of all that is computed together."""
    kept: bool
    """Whether it stays in float32."""
    low: float | None
    high: float | None
    """The real numbers between which its result has whole numbers; None where the result stays real."""
    saturated: float | None
    """The share of the results, of the pictures that are measured with, that lie outside and become the nearest bound."""
    own_db: float | None
    """Signal to noise, in decibel, of the layer alone, where what it reads is exact but for being rounded."""
    through_db: float | None
    """The same in the quantised network, with the noise of all layers before. None where there is no noise at all."""
    histogram: tuple[int, ...] | None
    """How many results have one of the first sixteen whole numbers, of the next sixteen, …; None where it stays real."""


class QuantizationReport(_Frozen):
    """What `cnndsl quantize --format json` prints."""

    version: Literal[1] = Field(default=1, alias="schema")
    network: str
    cnndsl: str = __version__
    pictures: int
    """That were calibrated with."""
    measured: int
    """That accuracy was measured with."""
    held_out: bool
    """Whether these are others."""
    sqnr_db: float | None
    """Signal to noise of the outputs, in decibel, once the mean over channels is taken from each example: a classifier's answer
    does not depend on that. None where there is no noise at all."""
    error: float
    """The same as the root of the mean square error, in units of the outputs' root mean square."""
    agreement: float | None
    """The share of examples for which the largest output is the same; None for networks with other outputs than one
    vector."""
    weights_bytes: int
    """Of all numbers in the file."""
    float_bytes: int
    """Of the network's weights in float32."""
    kept: tuple[str, ...]
    """Layers that could be quantised and stay in float32."""
    layers: tuple[LayerError, ...]
    seconds: float

    def to_json(self, indent: int | None = None) -> str:
        """The document, with its keys in order."""
        return self.model_dump_json(by_alias=True, indent=indent)


def decibel(signal: float, noise: float) -> float | None:
    """Signal to noise from their squares; None where there is no noise."""
    from math import log10

    return 10 * log10(signal / noise) if noise > 0 and signal > 0 and isfinite(signal / noise) else None


def read_report(path: Path, graph: Graph) -> QuantizationReport:
    """What `cnndsl quantize` measured when it wrote the file. Reads its header alone, and imports no NumPy.

    Raises `CnnError`: file-not-found, unreadable-weights, not-quantized, and wrong-quantization where the file is of another
    network or has no document."""
    texts = read_texts(path)
    if texts.get("format") != QUANTIZED:
        raise CnnError([not_quantized(path.name)])
    try:
        report = QuantizationReport.model_validate_json(texts.get(f"about.{REPORT}", ""))
    except ValidationError:
        note = "`cnndsl quantize` writes into its files what it measured; `train --quantize` and other versions do not"
        raise CnnError([_fault(f"{path.name} does not say what quantising cost", note)]) from None
    names = {node.name for node in graph.nodes}
    if other := next((row.name for row in report.layers if row.name.partition(":")[0] not in names), None):
        note = f"it has a layer `{other}`, and {graph.name} has none"
        raise CnnError([_fault(f"{path.name} is of another network", note)])
    return report


def _fault(message: str, note: str) -> Diagnostic:
    return Diagnostic(
        "wrong-quantization", message, notes=(note,), help="quantise the network again with `cnndsl quantize`"
    )


def schema() -> dict[str, Any]:
    """The JSON Schema of the document."""
    return QuantizationReport.model_json_schema(by_alias=True, mode="serialization")
