"""Training with the rounding of a quantised network: every forward pass rounds what the network in whole numbers rounds, and
gradients pass as if it had not (fake quantisation with a straight-through estimator; Jacob et al., 2018).

The batch norm behind a layer is in its weight and its bias, as in the quantised network, with the running means that it has when
this begins. What learns are the weights and biases of products; all other weights stay.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from cnndsl.backends.pytorch.library import nn, torch
from cnndsl.backends.tvm.plan.quantized import QuantizedGroup, plan_quantized, tied
from cnndsl.backends.tvm.plan.quantized_network import spared
from cnndsl.backends.tvm.program.later import Later
from cnndsl.backends.tvm.program.passes import program_of
from cnndsl.backends.tvm.program.steps import Step
from cnndsl.calibration.calibrate import refuse_without_products
from cnndsl.calibration.on_reals.network import OnReals, layers_of
from cnndsl.ir.graph import Graph
from cnndsl.quantization.arithmetic import LARGEST, LARGEST_WEIGHT, NOTHING, Scale, quantized_weight, whole_bias
from cnndsl.quantization.quantization import Quantization, QuantizedWeight

if TYPE_CHECKING:
    Arrays = Mapping[str, np.ndarray]


class FakeQuantized(OnReals):
    """The network of a graph, whose weights and ranges are nothing before `begin` and `observe`. Layers of `fixed` do not learn.

    Raises `CnnError` (nothing-to-quantize, unsupported-by-backend) and `MissingPart` without TVM, whose program it follows.
    """

    def __init__(self, graph: Graph, weights: Arrays, fixed: Collection[str] = ()) -> None:
        program = program_of(graph, weights)
        groups = plan_quantized(program)
        refuse_without_products(graph, groups)
        super().__init__(program, groups)
        self._graph = graph
        self._anchors = [group.group.anchor for group in groups if group.kind == "product"]
        self._places = {step.name: place for place, step in enumerate(self._anchors)}
        learns = [step.name.partition(":")[0] not in fixed for step in self._anchors]
        self.weights, self.biases = (
            nn.ParameterList(
                nn.Parameter(torch.from_numpy(array.copy()), requires_grad=own)
                for array, own in zip(arrays, learns, strict=True)
            )
            for arrays in zip(*map(_factors, self._anchors), strict=True)
        )
        self._order = {name: place for place, name in enumerate(self.rounded)}
        self.register_buffer("scales", torch.ones(len(self.rounded)))
        self.register_buffer("zero_points", torch.zeros(len(self.rounded)))
        self._seen: dict[str, tuple[float, float]] | None = None
        # Registered, so that they move to the device on which is learnt, and are part of a state.
        self.kept = nn.ModuleList(layer for layers in self._layers for layer in layers)

    def begin(self, weights: Arrays) -> None:
        """Takes over the weights of the network, by its keys."""
        program = program_of(self._graph, weights)
        groups = plan_quantized(program)
        device = self.scales.device
        anchors = [group.group.anchor for group in groups if group.kind == "product"]
        with torch.no_grad():
            for place, (weight, bias) in enumerate(map(_factors, anchors)):
                self.weights[place].copy_(torch.from_numpy(weight))
                self.biases[place].copy_(torch.from_numpy(bias))
        self._layers = layers_of(groups)
        self.kept = nn.ModuleList(layer for layers in self._layers for layer in layers).to(device)

    @torch.no_grad()  # type: ignore[untyped-decorator]
    def observe(self, batches: Iterable[Any]) -> None:
        """Takes the ranges of all maps from examples, the network's input in batches, which go through it with rounded weights."""
        self._seen = {}
        try:
            for batch in batches:
                self(batch)
            seen = self._seen
        finally:
            self._seen = None
        for names in tied(self.program, self.groups):
            whole = (min(seen[name][0] for name in names), max(seen[name][1] for name in names))
            seen.update(dict.fromkeys(names, whole))
        found = [Scale.over(*seen[name]) for name in self.rounded]
        self.scales.copy_(torch.tensor([scale.scale for scale in found]))
        self.zero_points.copy_(torch.tensor([float(scale.zero_point) for scale in found]))

    def learning(self) -> Iterator[tuple[str, Any]]:
        """The weights that learn, by the keys that the layers have in a quantised network's file."""
        for place, step in enumerate(self._anchors):
            yield f"{step.name}.weight", self.weights[place]
            yield f"{step.name}.bias", self.biases[place]

    def quantization(self, weights: Arrays, about: Mapping[str, str]) -> Quantization:
        """The quantised network as it is now: its own weights rounded, and of `weights`, by the network's keys, all others."""
        pairs = zip(self.rounded, self.scales.tolist(), self.zero_points.tolist(), strict=True)
        maps = {name: Scale(scale, int(zero_point)) for name, scale, zero_point in pairs}
        whole = {}
        for place, step in enumerate(self._anchors):
            numbers, scales = quantized_weight(_array(self.weights[place]))
            bias = whole_bias(_array(self.biases[place]), scales, maps[step.inputs[0]])
            whole[step.name] = QuantizedWeight(numbers, scales, bias)
        gone = spared(self._graph, self.program, whole)
        floats = {key: np.asarray(array) for key, array in weights.items() if key not in gone}
        return Quantization(maps, whole, floats, about=dict(about))

    def entered(self, name: str, value: Any) -> Any:
        place = self._order.get(name)
        if place is None:
            return value
        if self._seen is not None:
            low, high = (float(bound) for bound in torch.aminmax(value))
            before = self._seen.get(name, (low, high))
            self._seen[name] = (min(low, before[0]), max(high, before[1]))
            return value
        scale, zero_point = self.scales[place], self.zero_points[place]
        # Beyond the range nothing is learnt: there the result does not depend on the number.
        q = (value / scale + zero_point).clamp(0, LARGEST)
        return (q + (q.round() - q).detach() - zero_point) * scale

    def factors(self, group: QuantizedGroup) -> tuple[Any, Any]:
        place = self._places[group.group.anchor.name]
        weight = self.weights[place]
        axes = tuple(range(1, weight.dim()))
        largest = weight.detach().abs().amax(axes, keepdim=True)
        scale = torch.where(largest >= NOTHING, largest / LARGEST_WEIGHT, torch.ones_like(largest))
        whole = (weight.detach() / scale).round().clamp_(-LARGEST_WEIGHT, LARGEST_WEIGHT)
        return weight + (whole * scale - weight).detach(), self.biases[place]


def _factors(step: Step) -> tuple[np.ndarray, np.ndarray]:
    weight = step.weights["weight"].numpy()
    return weight, step.weights.get("bias", Later.filled((len(weight),), 0)).numpy()


def _array(tensor: Any) -> np.ndarray:
    array: np.ndarray = tensor.detach().cpu().numpy()
    return array
