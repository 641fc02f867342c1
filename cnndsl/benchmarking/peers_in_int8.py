"""Peers quantised by their own tools, with the examples that ours was calibrated with."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cnndsl.benchmarking.untold import untold

if TYPE_CHECKING:
    import numpy as np

    from cnndsl.quantization.quantization import Quantization


@dataclass(frozen=True)
class WholeNumbers:
    """A network in precision int8. `onnx` gives our quantised network as a file, as `Task.onnx` does the one in float32."""

    quantization: Quantization
    onnx: Callable[[], Path]
    examples: Mapping[str, np.ndarray] | None
    """What peers calibrate with, N×batch×…, the inputs of N runs; None where there are no weights in float32, so that
    they take our file."""


def quantized_by_onnxruntime(onnx: Callable[[], Path], whole: WholeNumbers) -> tuple[str, str]:
    """A file for ONNX Runtime, quantised by its static quantisation, and how it came about."""
    if whole.examples is None:
        return str(whole.onnx()), "our QDQ"
    from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static

    class Reader(CalibrationDataReader):  # type: ignore[misc]
        def __init__(self, rest: Iterator[Mapping[str, np.ndarray]]) -> None:
            self._rest = rest

        def get_next(self) -> Any:
            return next(self._rest, None)

    file = onnx()
    made = file.with_name("static.onnx")
    quantize_static(
        file,
        made,
        Reader(_batches(whole.examples)),
        quant_format=QuantFormat.QDQ,
        per_channel=True,
        activation_type=QuantType.QUInt8,
        weight_type=QuantType.QInt8,
    )
    return str(made), "static"


def quantized_by_nncf(core: Any, onnx: Callable[[], Path], whole: WholeNumbers) -> tuple[Any, str]:
    """A model for OpenVINO, quantised by NNCF where that is installed, and how it came about."""
    try:
        with untold():
            import nncf
    except ImportError:
        return core.read_model(whole.onnx()), "our QDQ"
    if whole.examples is None:
        return core.read_model(whole.onnx()), "our QDQ"
    examples = list(_batches(whole.examples))
    # NNCF shows its progress on stdout, where the report alone belongs.
    with redirect_stdout(sys.stderr):
        made = nncf.quantize(core.read_model(onnx()), nncf.Dataset(examples), subset_size=len(examples))
    return made, "NNCF"


def _batches(examples: Mapping[str, np.ndarray]) -> Iterator[Mapping[str, np.ndarray]]:
    """Inputs of one run after the other."""
    for i in range(len(next(iter(examples.values())))):
        yield {name: array[i] for name, array in examples.items()}
