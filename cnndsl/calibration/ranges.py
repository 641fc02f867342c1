"""What calibration pictures show of a network in float32: the range of every tensor, and the mean of every channel."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from cnndsl.backends.pytorch.library import torch
from cnndsl.backends.tvm.plan.quantized import plan_quantized, rounded_tensors, tied
from cnndsl.backends.tvm.program.steps import Program
from cnndsl.calibration.layer import layer
from cnndsl.quantization.arithmetic import Scale

if TYPE_CHECKING:
    import numpy as np

    Arrays = Mapping[str, np.ndarray]

BATCH = 4
"""Pictures that go through the network together."""
Hear = Callable[[int, int], None]
"""Told after each batch how many pictures are done, and of how many."""


@dataclass
class Seen:
    """By tensor: the smallest and the largest number, and the mean over pictures and positions, float64, of each number along
    the axis behind the batch, which is that of channels in all tensors that are quantised."""

    low: dict[str, float] = field(default_factory=dict)
    high: dict[str, float] = field(default_factory=dict)
    means: dict[str, np.ndarray] = field(default_factory=dict)


class FloatNetwork:
    """A program in float32, step by step: what quantised networks are made of and compared with."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self._steps = [(step, layer(step)) for step in program.steps]
        last = {name: step.name for step in program.steps for name in step.inputs}
        kept = set(program.outputs.values())
        self._last: dict[str, list[str]] = {step.name: [] for step in program.steps}
        for name, step in last.items():
            if name not in kept:
                self._last[step].append(name)

    @torch.no_grad()  # type: ignore[untyped-decorator]
    def run(self, inputs: Mapping[str, Any], visit: Callable[[str, Any], None] | None = None) -> dict[str, Any]:
        """The outputs by name, from tensors by name. `visit` is shown every tensor."""
        values = dict(inputs)
        if visit is not None:
            for name, value in values.items():
                visit(name, value)
        for step, compute in self._steps:
            values[step.name] = compute(*(values[name] for name in step.inputs))
            if visit is not None:
                visit(step.name, values[step.name])
            for name in self._last[step.name]:
                del values[name]
        return {name: values[step] for name, step in self.program.outputs.items()}


def in_batches(inputs: Arrays, size: int = BATCH) -> Iterator[dict[str, Any]]:
    """Examples of the arrays as tensors, so many at a time."""
    count = len(next(iter(inputs.values())))
    for start in range(0, count, size):
        yield {name: torch.from_numpy(array[start : start + size]) for name, array in inputs.items()}


def observe(network: FloatNetwork, inputs: Arrays, hear: Hear | None = None) -> Seen:
    """Runs the network over the examples of `inputs`."""
    import numpy as np

    seen = Seen()
    count = len(next(iter(inputs.values())))
    sums: dict[str, np.ndarray] = {}

    def visit(name: str, value: Any) -> None:
        if not value.dtype.is_floating_point or not value.numel():
            return
        low, high = torch.aminmax(value)
        seen.low[name] = min(seen.low.get(name, np.inf), float(low))
        seen.high[name] = max(seen.high.get(name, -np.inf), float(high))
        axes = tuple(axis for axis in range(value.dim()) if axis != 1)
        sums[name] = sums.get(name, 0.0) + value.mean(axes, dtype=torch.float64).numpy() * len(value)

    done = 0
    for batch in in_batches(inputs):
        network.run(batch, visit)
        done += len(next(iter(batch.values())))
        if hear is not None:
            hear(done, count)
    seen.means = {name: total / count for name, total in sums.items()}
    return seen


def scales(program: Program, keep: frozenset[str], seen: Seen) -> dict[str, Scale]:
    """The scale of every tensor that is rounded: its range, and that of what has the same numbers."""
    groups = plan_quantized(program, keep)
    low, high = dict(seen.low), dict(seen.high)
    for names in tied(program, groups):
        for name in names:
            low[name] = min(seen.low[n] for n in names)
            high[name] = max(seen.high[n] for n in names)
    return {name: Scale.over(low[name], high[name]) for name in rounded_tensors(program, groups)}
