"""A quantised network in Python: what `Network.quantize` gives."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from cnndsl.calibration.report import QuantizationReport
from cnndsl.ir.graph import Graph
from cnndsl.quantization.quantization import Quantization

if TYPE_CHECKING:
    from cnndsl.calibration.reference import Reference


class QuantizedModel:
    """A network in whole numbers of 8 bits, and what that cost it. Prints as its report."""

    def __init__(self, graph: Graph, quantization: Quantization, report: QuantizationReport) -> None:
        self.graph = graph
        """The network; it is as it was."""
        self.quantization = quantization
        """Its weights in whole numbers, and the scales of its tensors."""
        self.report = report
        """The error: `.sqnr_db`, `.error` and `.agreement` of the outputs, `.layers`, and `.to_json()`."""

    def save(self, path: str | Path) -> None:
        """Writes the `.safetensors` file that `--weights` of `compile --precision int8` and others take. Raises `MissingPart` for
        a full disk."""
        from cnndsl.quantization.file import write_quantization

        write_quantization(Path(path), self.quantization)

    def to_torch(self) -> Reference:
        """An `nn.Module` that computes the network exactly as it is defined, and as its packages do; it cannot be trained."""
        from cnndsl.calibration.reference import to_torch

        return to_torch(self.graph, self.quantization)

    def __repr__(self) -> str:
        from cnndsl.calibration.text import to_text

        return to_text(self.report)
