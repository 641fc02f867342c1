"""How far a quantised network is from the network in float32: its outputs, and each of its layers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from cnndsl.backends.pytorch.library import torch
from cnndsl.backends.tvm.plan.quantized import QuantizedGroup
from cnndsl.backends.tvm.plan.quantized_network import QuantizedNetwork
from cnndsl.calibration.ranges import FloatNetwork, Hear, in_batches
from cnndsl.calibration.reference import Reference, run_of
from cnndsl.calibration.report import LayerError, decibel

if TYPE_CHECKING:
    from cnndsl.calibration.ranges import Arrays

ALONE = 8
"""Examples with which layers are measured alone."""
BINS = 16


@dataclass
class OutputError:
    """Sums over examples of what outputs are off."""

    signal: float = 0.0
    noise: float = 0.0
    same: int = 0
    count: int = 0

    @property
    def sqnr_db(self) -> float | None:
        return decibel(self.signal, self.noise)

    @property
    def error(self) -> float:
        return float(np.sqrt(self.noise / self.signal)) if self.signal > 0 else 0.0

    def add(self, expected: Mapping[str, Any], found: Mapping[str, Any]) -> None:
        """Outputs of a batch, by name: in float32, and of the quantised network."""
        for name, truth in expected.items():
            self.signal += float(_centred(truth).square().sum())
            self.noise += float(_centred(found[name] - truth).square().sum())
        truth, other = next(iter(expected.values())), next(iter(found.values()))
        self.count += len(truth)
        self.same += int((truth.flatten(1).argmax(1) == other.flatten(1).argmax(1)).sum())

    @property
    def agreement(self) -> float:
        return self.same / max(self.count, 1)


def _centred(values: Any) -> Any:
    """Less the mean over channels, or over all of an example where it has one channel."""
    wide = values.double()
    axes = (1,) if wide.shape[1] > 1 else tuple(range(1, wide.dim()))
    return wide - wide.mean(axes, keepdim=True)


def output_error(network: QuantizedNetwork, expected: list[dict[str, Any]], inputs: Arrays) -> OutputError:
    """Of the outputs alone; `expected` are those in float32, batch by batch."""
    reference, found = Reference(network, exact=False), OutputError()
    for batch, truth in zip(in_batches(inputs), expected, strict=True):
        found.add(truth, reference.run(batch))
    return found


@dataclass
class _Tally:
    """Sums over the examples of what one group is off."""

    signal: float = 0.0
    noise: float = 0.0
    alone_signal: float = 0.0
    alone_noise: float = 0.0
    outside: int = 0
    count: int = 0
    histogram: np.ndarray = field(default_factory=lambda: np.zeros(BINS, np.int64))


def layer_errors(
    floats: FloatNetwork, network: QuantizedNetwork, inputs: Arrays, hear: Hear | None = None
) -> tuple[list[LayerError], OutputError]:
    """Of every group that computes, and of the outputs, over the examples of `inputs`."""
    reference, outputs = Reference(network, exact=False), OutputError()
    watched = [g for g in network.groups if g.kind not in ("move", "max", "float")]
    runs = {g.name: run_of(network, g, exact=False) for g in watched}
    tallies = {g.name: _Tally() for g in watched}
    needed = {name for g in watched for name in (*g.group.inputs, g.name)}
    done, whole = 0, len(next(iter(inputs.values())))
    for batch in in_batches(inputs):
        values: dict[str, Any] = {}

        def keep(name: str, value: Any, values: dict[str, Any] = values) -> None:
            if name in needed:
                values[name] = value

        def compare(group: QuantizedGroup, value: Any, values: dict[str, Any] = values) -> None:
            if group.name in tallies:
                _through(network, group, value, values[group.name], tallies[group.name])

        truth = floats.run(batch, keep)
        outputs.add(truth, reference.run(batch, compare))
        if done < ALONE:
            for group in watched:
                given = [reference.entered(name, values[name]) for name in group.group.inputs]
                found = reference.real(group.name, runs[group.name](given))
                tally, expected = tallies[group.name], values[group.name]
                tally.alone_signal += _power(expected)
                tally.alone_noise += _power(found - expected)
        done += len(next(iter(truth.values())))
        if hear is not None:
            hear(done, whole)
    kept = [g for g in network.groups if g.kind == "float" and g.group.anchor.name in network.quantization.keep]
    names = {g.name for g in (*watched, *kept)}
    return [_row(network, g, tallies.get(g.name)) for g in network.groups if g.name in names], outputs


def _through(network: QuantizedNetwork, group: QuantizedGroup, value: Any, expected: Any, tally: _Tally) -> None:
    if group.rounds:
        scale = network.scale(group.name)
        low, high = (-0.5 - scale.zero_point) * scale.scale, (255.5 - scale.zero_point) * scale.scale
        least, most = torch.aminmax(expected)
        if float(least) < low or float(most) > high:
            tally.outside += int(((expected < low) | (expected > high)).sum())
        counts = torch.bincount(value.flatten(), minlength=256)
        tally.histogram += counts.reshape(BINS, -1).sum(1).numpy()
        value = (value.float() - scale.zero_point) * scale.scale
    tally.signal += _power(expected)
    tally.noise += _power(value - expected)
    tally.count += expected.numel()


def _power(values: Any) -> float:
    flat = values.flatten()
    return float(torch.dot(flat, flat))


def _row(network: QuantizedNetwork, group: QuantizedGroup, tally: _Tally | None) -> LayerError:
    words = tuple(step.op.word for step in (group.group.anchor, *group.group.tail))
    if tally is None:
        return LayerError(
            name=group.group.anchor.name, layers=words, kept=True, low=None, high=None, saturated=None, own_db=None, through_db=None,
            histogram=None,
        )  # fmt: skip
    scale = network.scale(group.name) if group.rounds else None
    return LayerError(
        name=group.group.anchor.name,
        layers=words,
        kept=False,
        low=None if scale is None else -scale.zero_point * scale.scale,
        high=None if scale is None else (255 - scale.zero_point) * scale.scale,
        saturated=None if scale is None else tally.outside / max(tally.count, 1),
        own_db=decibel(tally.alone_signal, tally.alone_noise),
        through_db=decibel(tally.signal, tally.noise),
        histogram=None if scale is None else tuple(int(n) for n in tally.histogram),
    )
