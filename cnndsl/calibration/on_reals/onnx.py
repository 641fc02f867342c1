"""A quantised network as an ONNX file with `QuantizeLinear` and `DequantizeLinear` around its layers, as runtimes read it.

It computes on real numbers what the network computes on whole ones, and runtimes put their own whole-number layers in the
place of both. The bias is in whole numbers of the sums' own scale, as ONNX's layers want it, and ONNX rounds before it adds a
zero point: calibration chooses biases and zero points for which both make no difference. What is left is a number so near to the
middle between two whole ones that float32 takes it for the other side.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from cnndsl.backends.pytorch.library import torch
from cnndsl.backends.pytorch.live.export import OPSET, save_onnx, traced
from cnndsl.backends.tvm.plan.quantized import QuantizedGroup
from cnndsl.backends.tvm.plan.quantized_network import QuantizedNetwork, quantized_network
from cnndsl.calibration.on_reals.network import OnReals
from cnndsl.ir.graph import Graph
from cnndsl.quantization.arithmetic import MOST_IN_BIAS
from cnndsl.quantization.quantization import Quantization


def write_quantized_onnx(graph: Graph, quantization: Quantization, path: Path, batch: int | None = None) -> None:
    """Writes the file, for batches of any length or only `batch`. Raises `CnnError` (wrong-quantization) and `MissingPart`
    without the `onnx` extra."""
    network = quantized_network(graph, quantization)
    save_onnx(graph, lambda: traced(graph, _Written(network), batch), path, _translations)


@torch.library.custom_op("cnndsl::rounded", mutates_args=())  # type: ignore[untyped-decorator]
def _rounded(x: torch.Tensor, scale: torch.Tensor, zero_point: torch.Tensor) -> torch.Tensor:
    """Real numbers as a map of whole numbers has them."""
    q = (x / scale).round().add_(zero_point.float()).clamp_(0, 255)
    return (q - zero_point.float()) * scale


@_rounded.register_fake  # type: ignore[untyped-decorator]
def _(x: torch.Tensor, scale: torch.Tensor, zero_point: torch.Tensor) -> torch.Tensor:  # noqa: ARG001
    return torch.empty_like(x)


@torch.library.custom_op("cnndsl::real", mutates_args=())  # type: ignore[untyped-decorator]
def _real(numbers: torch.Tensor, scales: torch.Tensor) -> torch.Tensor:
    """A weight or bias of whole numbers as real ones, with a scale for each number along the first axis."""
    return numbers.float() * scales.reshape(-1, *(1,) * (numbers.dim() - 1))


@_real.register_fake  # type: ignore[untyped-decorator]
def _(numbers: torch.Tensor, scales: torch.Tensor) -> torch.Tensor:  # noqa: ARG001
    return torch.empty(numbers.shape, dtype=torch.float32)


def _translations() -> Mapping[Any, Any]:
    import onnxscript

    op = getattr(onnxscript, f"opset{OPSET}")

    def rounded(x: Any, scale: Any, zero_point: Any) -> Any:
        return op.DequantizeLinear(op.QuantizeLinear(x, scale, zero_point), scale, zero_point)

    def real(numbers: Any, scales: Any) -> Any:
        return op.DequantizeLinear(numbers, scales, axis=0)

    return {torch.ops.cnndsl.rounded.default: rounded, torch.ops.cnndsl.real.default: real}


class _Written(OnReals):
    """With all numbers of the network as buffers."""

    def __init__(self, network: QuantizedNetwork) -> None:
        super().__init__(network.program, network.groups)
        self._index = {name: i for i, name in enumerate((*network.program.inputs, *(g.name for g in network.groups)))}
        for group in network.groups:
            if group.kind == "product":
                for name, array in _weights(network, group).items():
                    self.register_buffer(f"{name}_{self._index[group.name]}", torch.from_numpy(array))
        for name in self.rounded:
            scale, index = network.scale(name), self._index[name]
            self.register_buffer(f"scale_{index}", torch.tensor(scale.scale, dtype=torch.float32))
            self.register_buffer(f"zero_point_{index}", torch.tensor(scale.zero_point, dtype=torch.uint8))

    def entered(self, name: str, value: Any) -> Any:
        index = self._index[name]
        if not hasattr(self, f"scale_{index}"):
            return value
        return _rounded(value, getattr(self, f"scale_{index}"), getattr(self, f"zero_point_{index}"))

    def factors(self, group: QuantizedGroup) -> tuple[Any, Any]:
        index = self._index[group.name]
        weight, bias = getattr(self, f"weight_{index}"), getattr(self, f"bias_{index}")
        if bias.dtype == torch.int32:
            bias = _real(bias, getattr(self, f"bias_scale_{index}"))
        return _real(weight, getattr(self, f"weight_scale_{index}")), bias


def _weights(network: QuantizedNetwork, group: QuantizedGroup) -> dict[str, np.ndarray]:
    """Weight and bias in whole numbers, with their scales; a bias that int32 has no room for stays real."""
    own, x = network.weight(group), network.scale(group.group.anchor.inputs[0])
    scales = (own.scales.astype(np.float64) * x.scale).astype(np.float32)
    found = {"weight": own.numbers.copy(), "weight_scale": own.scales.copy()}
    whole = np.rint(own.bias.astype(np.float64) / np.where(scales > 0, scales, 1))
    if (scales > 0).all() and np.abs(whole).max(initial=0) < MOST_IN_BIAS:
        return {**found, "bias": whole.astype(np.int32), "bias_scale": scales}
    return {**found, "bias": own.bias.copy()}
