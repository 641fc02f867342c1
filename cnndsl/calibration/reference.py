"""Computes a quantised network exactly as its definition says, in PyTorch: what every package must equal bit by bit.

That holds for all that is rounded to whole numbers, and for what leaves a group of whole numbers as real ones. Layers that
stay in float32 are PyTorch's own, and another library's may differ in their last bits.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from cnndsl.backends.pytorch.library import nn, torch
from cnndsl.backends.tvm.plan.quantized import QuantizedGroup
from cnndsl.backends.tvm.plan.quantized_network import RESCALED, QuantizedNetwork, quantized_network
from cnndsl.backends.tvm.plan.routes import Route
from cnndsl.calibration.layer import Layer, layer
from cnndsl.calibration.rescaled import finished, quantized
from cnndsl.calibration.sums import Sums
from cnndsl.ir.graph import Graph
from cnndsl.ops.conv import Conv
from cnndsl.quantization.arithmetic import Scale
from cnndsl.quantization.functions import table
from cnndsl.quantization.quantization import Quantization

if TYPE_CHECKING:
    import numpy as np

    Arrays = dict[str, np.ndarray]

Visit = Callable[[QuantizedGroup, Any], None]


def to_torch(graph: Graph, quantization: Quantization) -> Reference:
    """The quantised network as a module that computes it exactly. Raises `CnnError` (wrong-quantization)."""
    return Reference(quantized_network(graph, quantization))


class Reference(nn.Module):  # type: ignore[misc]
    """Takes batched inputs in order or by name, float32 as the network's, and gives one tensor for one output, else a dict by
    the names of the outputs. It has no weights to train."""

    def __init__(self, network: QuantizedNetwork, *, exact: bool = True) -> None:
        super().__init__()
        self._exact = exact
        self.network = network
        self.last = last_readers(network)
        """By group the tensors that no later group and no output needs."""
        self._rounded = frozenset(network.rounded)
        self._runs = [(group, run_of(network, group, exact)) for group in network.groups]

    def forward(self, *tensors: Any, **named: Any) -> Any:
        """Raises TypeError where the number of inputs or a name is wrong."""
        inputs = list(self.network.program.inputs)
        given = dict(zip(inputs, tensors, strict=False)) | named
        if len(tensors) + len(named) != len(inputs) or given.keys() != set(inputs):
            raise TypeError(f"it takes {len(inputs)} tensors ({', '.join(inputs)})")
        found = self.run(given)
        return next(iter(found.values())) if len(found) == 1 else found

    @torch.no_grad()  # type: ignore[untyped-decorator]
    def run(self, inputs: Mapping[str, Any], visit: Visit | None = None) -> dict[str, Any]:
        """The outputs by name, from tensors by name. `visit` is shown the value of each group: a map of whole numbers, uint8, or
        real numbers."""
        values = {name: self.entered(name, inputs[name]) for name in self.network.program.inputs}
        for group, run in self._runs:
            values[group.name] = self.entered(group.name, run([values[name] for name in group.group.inputs]))
            if visit is not None:
                visit(group, values[group.name])
            for name in self.last[group.name]:
                del values[name]
        return {name: self.real(value, values[value]) for name, value in self.network.program.outputs.items()}

    def real(self, name: str, value: Any) -> Any:
        """The value of a tensor as real numbers."""
        return real(value, self.network.scale(name)) if name in self._rounded else value

    def entered(self, name: str, value: Any) -> Any:
        """A tensor as the groups that read it find it: rounded, where that has not been done."""
        rounds = name in self._rounded and value.dtype != torch.uint8
        return quantized(value, self.network.scale(name), self._exact) if rounds else value


def outputs(graph: Graph, quantization: Quantization, inputs: Mapping[str, np.ndarray]) -> Arrays:
    """What the quantised network gives, by name, for batched inputs by name."""
    found = to_torch(graph, quantization).run({name: torch.from_numpy(x) for name, x in inputs.items()})
    return {name: value.numpy() for name, value in found.items()}


def real(q: Any, scale: Scale) -> Any:
    """The numbers of a map, uint8, as the float32 numbers that they stand for."""
    return (q.float() - scale.zero_point).mul_(torch.tensor(scale.scale))


def run_of(network: QuantizedNetwork, group: QuantizedGroup, exact: bool = True) -> Callable[[list[Any]], Any]:
    """What a group computes, from the values that it reads: maps of whole numbers, uint8, or real numbers. Without `exact` one
    number in some thousands may be another by one."""
    if group.kind == "float":
        return _in_float(network, group)
    if group.kind == "move":
        return _moved(network, group)
    if group.kind == "max":
        largest = layer(group.group.anchor)
        return lambda values: largest(values[0].float()).to(torch.uint8)
    if group.kind == "table":
        (name,) = group.group.inputs
        numbers = torch.from_numpy(table(group.group.anchor.op, network.scale(name), network.scale(group.name)))
        return lambda values: numbers[values[0].long()]
    assert group.kind in RESCALED
    return _rescaled(network, group, exact)


def _in_float(network: QuantizedNetwork, group: QuantizedGroup) -> Callable[[list[Any]], Any]:
    scales = [network.quantization.maps.get(name) for name in group.group.inputs]
    first: Layer = joined(group.group.route) if group.group.route else layer(group.group.anchor)
    tail = [layer(step) for step in group.group.tail]

    def run(values: list[Any]) -> Any:
        given = [v if s is None else real(v, s) for v, s in zip(values, scales, strict=True)]
        value = first(*given)
        for then in tail:
            value = then(value)
        return value

    return run


def _moved(network: QuantizedNetwork, group: QuantizedGroup) -> Callable[[list[Any]], Any]:
    if group.group.route is not None:
        together = joined(group.group.route)
        return lambda values: together(*values)
    # What a layer puts beside the numbers of its map is the real number zero.
    zero_point = network.scale(group.name).zero_point
    moved = layer(group.group.anchor)
    return lambda values: moved(_centred(values[0], zero_point)).add_(zero_point).to(torch.uint8)


def joined(route: Route) -> Layer:
    """The channels of several maps in another order."""
    starts = [sum(route.widths[:source]) for source in range(len(route.widths))]
    places = torch.tensor([starts[source] + channel for source, channel in route.channels])
    return lambda *values: torch.cat(values, 1)[:, places]


def _rescaled(network: QuantizedNetwork, group: QuantizedGroup, exact: bool) -> Callable[[list[Any]], Any]:
    sums, count = sums_of(network, group)
    after = network.rescaling(group)
    return lambda values: finished(sums(values), values[count:], after, group.rounds, exact)


def sums_of(network: QuantizedNetwork, group: QuantizedGroup) -> tuple[Callable[[list[Any]], Any], int]:
    """The sums of a group that rescales, float32, from the maps that they are of; and how many of these it reads."""
    anchor, kind = group.group.anchor, group.kind
    zeros = [network.scale(name).zero_point for name in anchor.inputs]
    if kind == "product":
        weight = torch.tensor(network.weight(group).numbers)
        window = anchor.op.window_over(anchor.xs[0])
        add = Sums(weight, zeros[0], window, anchor.op.groups if isinstance(anchor.op, Conv) else 1)
        return lambda values: add(_centred(values[0], zeros[0])), 1
    if kind == "sum":
        return lambda values: torch.zeros((), dtype=torch.float32).expand(values[0].shape), 0
    if kind == "scaled":
        return lambda values: _centred(values[0], zeros[0]) * _centred(values[1], zeros[1]), 2
    if kind == "norm":
        return lambda values: _centred(values[0], zeros[0]), 1
    window = anchor.op.window_over(anchor.xs[0])
    axes = tuple(range(2, 2 + anchor.xs[0].rank))
    if window is None:
        return lambda values: _centred(values[0], zeros[0]).double().sum(axes, keepdim=True).float(), 1
    channels = anchor.xs[0].channels
    ones = Sums(torch.ones((channels, 1, *window.kernel), dtype=torch.int8), zeros[0], window, channels)
    return lambda values: ones(_centred(values[0], zeros[0])), 1


def _centred(q: Any, zero_point: int) -> Any:
    return q.float() if zero_point == 0 else q.float().sub_(zero_point)


def last_readers(network: QuantizedNetwork) -> dict[str, tuple[str, ...]]:
    """By group the tensors that no later group and no output needs."""
    last = {name: group.name for group in network.groups for name in group.group.inputs}
    kept = set(network.program.outputs.values())
    return {
        group.name: tuple(n for n in dict.fromkeys(group.group.inputs) if last[n] == group.name and n not in kept)
        for group in network.groups
    }
