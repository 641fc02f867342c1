"""A quantised network as an ONNX file with `QuantizeLinear` and `DequantizeLinear` around its layers, as runtimes read it.

It computes on real numbers what the network computes on whole ones, and runtimes put their own whole-number layers in the
place of both: their sums are the same, and what they round may differ by one step where a number lies in the middle between
two. The bias is in whole numbers of the sums' own scale, as ONNX's layers want it.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from cnndsl.backends.pytorch.library import nn, torch
from cnndsl.backends.pytorch.live.export import OPSET, save_onnx, traced
from cnndsl.backends.tvm.plan.quantized import QuantizedGroup
from cnndsl.backends.tvm.plan.quantized_network import QuantizedNetwork, quantized_network
from cnndsl.calibration.layer import layer
from cnndsl.calibration.product import product
from cnndsl.calibration.reference import joined
from cnndsl.ir.graph import Graph
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


class _Written(nn.Module):  # type: ignore[misc]
    """The network on real numbers, rounded where a quantised one is."""

    def __init__(self, network: QuantizedNetwork) -> None:
        super().__init__()
        self._network = network
        self._rounded = frozenset(network.rounded)
        self._groups = [(group, [layer(step) for step in _steps(group)]) for group in network.groups]
        for index, group in enumerate(network.groups):
            if group.kind == "product":
                for name, array in _weights(network, group).items():
                    self.register_buffer(f"{name}_{index}", torch.from_numpy(array))
        self._names = (*network.program.inputs, *(group.name for group in network.groups))
        for index, name in enumerate(self._names):
            if name in self._rounded:
                scale = network.scale(name)
                self.register_buffer(f"scale_{index}", torch.tensor(scale.scale, dtype=torch.float32))
                self.register_buffer(f"zero_point_{index}", torch.tensor(scale.zero_point, dtype=torch.uint8))

    def forward(self, *tensors: Any) -> Any:
        program, count = self._network.program, len(self._network.program.inputs)
        values = {name: self._entered(i, tensors[i]) for i, name in enumerate(program.inputs)}
        for index, (group, layers) in enumerate(self._groups):
            given = [values[name] for name in group.group.inputs]
            values[group.name] = self._entered(count + index, self._computed(index, group, layers, given))
        found = {name: values[step] for name, step in program.outputs.items()}
        return next(iter(found.values())) if len(found) == 1 else found

    def _entered(self, index: int, value: Any) -> Any:
        if self._names[index] not in self._rounded:
            return value
        return _rounded(value, getattr(self, f"scale_{index}"), getattr(self, f"zero_point_{index}"))

    def _computed(self, index: int, group: QuantizedGroup, layers: list[Any], given: list[Any]) -> Any:
        residuals = given[len(given) - len(group.group.residuals) :]
        if group.group.route is not None:
            value = joined(group.group.route)(*given)
        elif group.kind == "product":
            weight = _real(getattr(self, f"weight_{index}"), getattr(self, f"weight_scale_{index}"))
            bias = getattr(self, f"bias_{index}")
            if bias.dtype == torch.int32:
                bias = _real(bias, getattr(self, f"bias_scale_{index}"))
            value = product(group.group.anchor, given[0], weight, bias)
        else:
            value = layers[0](*given)
        for step, compute in zip(group.group.tail, layers[1:], strict=True):
            value = compute(value, residuals.pop(0)) if step.op.combines == "add" else compute(value)
        return value


def _steps(group: QuantizedGroup) -> list[Any]:
    """The steps of a group; its first is computed otherwise where it has a route or products."""
    return [group.group.anchor, *group.group.tail]


def _weights(network: QuantizedNetwork, group: QuantizedGroup) -> dict[str, np.ndarray]:
    """Weight and bias in whole numbers, with their scales; a bias that int32 has no room for stays real."""
    own, x = network.weight(group), network.scale(group.group.anchor.inputs[0])
    scales = (own.scales.astype(np.float64) * x.scale).astype(np.float32)
    found = {"weight": own.numbers.copy(), "weight_scale": own.scales.copy()}
    whole = np.rint(own.bias.astype(np.float64) / np.where(scales > 0, scales, 1))
    if (scales > 0).all() and np.abs(whole).max(initial=0) < 2**30:
        return {**found, "bias": whole.astype(np.int32), "bias_scale": scales}
    return {**found, "bias": own.bias.copy()}
