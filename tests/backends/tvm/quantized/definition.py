"""The definition of the arithmetic of quantised networks, step by step in NumPy, and tables drawn to try it with."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from cnndsl.arrays.drawn import drawn_weights
from cnndsl.backends.tvm.plan.quantized import QuantizedGroup, plan_quantized, rounded_tensors, tied
from cnndsl.backends.tvm.plan.quantized_network import QuantizedNetwork, quantized_network
from cnndsl.backends.tvm.plan.taps import find_positions
from cnndsl.backends.tvm.program.later import Later
from cnndsl.backends.tvm.program.passes import program_of
from cnndsl.backends.tvm.program.steps import Step
from cnndsl.ir.graph import Graph
from cnndsl.ir.window import Window
from cnndsl.ops.conv import Conv
from cnndsl.ops.flatten import Flatten
from cnndsl.ops.pixel_shuffle import PixelShuffle
from cnndsl.quantization.arithmetic import LARGEST, Scale, fma, quantized_weight, rounded
from cnndsl.quantization.functions import table
from cnndsl.quantization.quantization import Quantization, QuantizedWeight

Arrays = dict[str, np.ndarray]


def drawn(graph: Graph, seed: int, keep: frozenset[str] = frozenset()) -> QuantizedNetwork:
    """The network with drawn weights, whole, and a drawn scale for every map: zero points are anything from 0 to 255, some
    results are clamped; `keep` are layers in float32."""
    r = np.random.default_rng(seed)
    weights = {
        key: np.abs(array) + 0.5 if key.endswith("running_var") else array
        for key, array in drawn_weights(graph, seed).items()
    }
    program = program_of(graph, weights)
    groups = plan_quantized(program, keep)
    whole = {}
    for group in groups:
        if group.kind == "product":
            step = group.group.anchor
            numbers, scales = quantized_weight(step.weights["weight"].numpy())
            bias = step.weights.get("bias", Later.filled((len(numbers),), 0)).numpy()
            whole[step.name] = QuantizedWeight(numbers, scales, bias)
    one: dict[str, Scale] = {}
    for names in (*tied(program, groups), *([name] for name in rounded_tensors(program, groups))):
        low, high = min(r.uniform(-3, 0.2), 0.0), r.uniform(0, 3)
        for name in names:
            unit = float(np.float32((high - low) / LARGEST))
            one.setdefault(name, Scale(unit, int(np.rint(-low / unit).clip(0, LARGEST))))
    return quantized_network(graph, Quantization(one, whole, weights, keep))


def outputs(network: QuantizedNetwork, inputs: Arrays) -> Arrays:
    """What the network gives, by name; it must have no layers in float32."""
    values = {name: network.scale(name).quantized(x) if name in network.rounded else x for name, x in inputs.items()}
    for group in network.groups:
        values[group.name] = _result(network, group, [values[name] for name in group.group.inputs])
    return {
        name: network.scale(step).real(values[step]) if values[step].dtype == np.uint8 else values[step]
        for name, step in network.program.outputs.items()
    }


def _result(network: QuantizedNetwork, group: QuantizedGroup, values: list[np.ndarray]) -> np.ndarray:
    step = group.group.anchor
    zeros = [network.scale(name).zero_point for name in group.group.inputs]
    if group.kind == "move":
        return _moved(group, values, zeros[0])
    if group.kind == "max":
        window = step.op.window_over(step.xs[0]) or _whole(step)
        return _over(values[0].astype(np.int64), window, -1, lambda taken: np.max(taken, axis=0)).astype(np.uint8)
    if group.kind == "table":
        return np.asarray(table(step.op, network.scale(group.group.inputs[0]), network.scale(group.name))[values[0]])
    centred = [v.astype(np.int64) - z for v, z in zip(values, zeros, strict=True)]
    added = values[len(step.inputs) :]
    if group.kind == "product":
        sums = _products(step, network.weight(group).numbers.astype(np.int64), centred[0])
    elif group.kind == "scaled":
        sums = centred[0] * centred[1]
    elif group.kind == "norm":
        sums = centred[0]
    elif group.kind == "mean":
        window = step.op.window_over(step.xs[0]) or _whole(step)
        sums = _over(centred[0], window, 0, lambda taken: np.sum(taken, axis=0))
    else:
        assert group.kind == "sum"
        sums, added = np.zeros_like(centred[0]), values
    r = network.rescaling(group)
    along = (-1, *(1,) * (sums.ndim - 2))
    v = fma(sums.astype(np.float32), r.factor.reshape(along), r.offset.reshape(along))
    for value, factor in zip(added, r.residuals, strict=True):
        v = fma(value.astype(np.float32), factor, v)
    if group.rounds:
        return rounded(v, int(r.low), int(r.high))
    return np.asarray(np.clip(v, np.float32(r.low), np.float32(r.high)))


def _whole(step: Step) -> Window:
    ones, none = (1,) * step.xs[0].rank, (0,) * step.xs[0].rank
    return Window(step.xs[0].size, ones, none, none, ones)


def _over(x: np.ndarray, window: Window, outside: int, combine: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
    """Of each window what `combine` makes of its numbers, which lie on the first axis."""
    return combine(np.stack(_taken(x, window, outside)))


def _taken(x: np.ndarray, window: Window, outside: int) -> list[np.ndarray]:
    """For each tap of a window the numbers that it sees from all positions."""
    size = x.shape[2:]
    pads = list(zip(window.before, window.after_filled(size), strict=True))
    padded = np.pad(x, [(0, 0), (0, 0), *pads], constant_values=outside)
    out = window.output_size(size)
    found = []
    for taps in np.ndindex(*window.kernel):
        axes = zip(taps, window.dilation, out, window.stride, strict=True)
        seen: tuple[Any, ...] = tuple(slice(t * d, t * d + (n - 1) * s + 1, s) for t, d, n, s in axes)
        found.append(padded[(..., *seen)])
    return found


def _products(step: Step, weight: np.ndarray, x: np.ndarray) -> np.ndarray:
    if not isinstance(step.op, Conv):
        return np.asarray(x @ weight.T)
    groups, outs = step.op.groups, weight.shape[0] // step.op.groups
    taken = _taken(x, step.op.window_over(step.xs[0]), 0)
    ins = weight.shape[1]
    found = []
    for g in range(groups):
        own = weight[g * outs : (g + 1) * outs].reshape(outs, ins, -1)
        found.append(
            sum(
                np.einsum("nc...,oc->no...", numbers[:, g * ins : (g + 1) * ins], own[..., tap])
                for tap, numbers in enumerate(taken)
            )
        )
    return np.concatenate(found, axis=1)


def _moved(group: QuantizedGroup, values: list[np.ndarray], zero_point: int) -> np.ndarray:
    step, route = group.group.anchor, group.group.route
    if route is not None:
        return np.stack([values[source][:, channel] for source, channel in route.channels], axis=1)
    (x,) = values
    if isinstance(step.op, Flatten):
        return x.reshape(len(x), -1)
    if isinstance(step.op, PixelShuffle):
        n, c, h, w = x.shape
        r = step.op.r
        parts = x.reshape(n, c // r**2, r, r, h, w).transpose(0, 1, 4, 2, 5, 3)
        return parts.reshape(n, c // r**2, h * r, w * r)
    axes = find_positions(step)
    assert axes is not None
    for axis, positions in enumerate(axes, start=2):
        if positions is not None:
            shape = [1] * x.ndim
            shape[axis] = len(positions)
            inside = (positions >= 0).reshape(shape)
            x = np.where(inside, np.take(x, np.maximum(positions, 0), axis=axis), np.uint8(zero_point))
    return x


def input_of(graph: Graph, count: int, seed: int) -> Arrays:
    """Drawn inputs, among which are numbers far outside the range of every scale."""
    r = np.random.default_rng(seed)
    return {
        i.name: np.asarray(r.standard_normal((count, *i.type.shape)) * r.choice([0.5, 2, 40]), np.float32)
        for i in graph.inputs
    }
