"""Tokens and maps with their channels last, as maps with their channels first: packed, the two are the same memory.

Then there is one kernel for a layer wherever the channels are: `Linear` on tokens is a convolution with a window of
one. Layers that look at positions as such keep the order they were written in, between exchanges of axes.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from math import sqrt
from typing import TYPE_CHECKING

from cnndsl.backends.tvm.program.attend import Attend
from cnndsl.backends.tvm.program.equivalent import Arrays
from cnndsl.backends.tvm.program.later import Later
from cnndsl.backends.tvm.program.steps import Program, Step
from cnndsl.ir.op import Op
from cnndsl.ir.tensor import TensorType
from cnndsl.ops.attention import Attention
from cnndsl.ops.conv import Conv
from cnndsl.ops.flatten import Flatten
from cnndsl.ops.global_avg_pool import GlobalAvgPool
from cnndsl.ops.linear import Linear
from cnndsl.ops.permute import Permute
from cnndsl.ops.reshape import Reshape
from cnndsl.ops.to_map import ToMap
from cnndsl.ops.to_tokens import ToTokens

if TYPE_CHECKING:
    import numpy as np

_HEAD_MULTIPLE = 16
"""Channels of a head are filled up to whole vectors of any target."""


def channels_first(program: Program) -> Program:
    """The same program with channels first wherever its steps allow it; inputs and outputs stay as they are."""
    rewrite = _Rewrite()
    for step in program.steps:
        rewrite.add(step)
    types = {**program.inputs, **{step.name: step.type for step in program.steps}}
    outputs = {name: rewrite.written(step, types[step]) for name, step in program.outputs.items()}
    return Program(program.inputs, tuple(rewrite.steps), outputs)


def moves_channels(axes: tuple[int, ...], channel_axis: int) -> bool:
    """Whether an exchange of axes keeps the order of those that are not channels."""
    rest = [axis for axis in axes if axis != channel_axis]
    return rest == sorted(rest)


@dataclass
class _Rewrite:
    steps: list[Step] = field(default_factory=list)
    first: dict[str, str] = field(default_factory=dict)
    """By tensor the step that gives it with its channels first."""
    last: dict[str, str] = field(default_factory=dict)
    """By tensor the step that gives it in the order it was written in, where its channels are not first in that
    order."""

    def add(self, step: Step) -> None:
        if any(map(_turns, (*step.xs, step.type))) and self._turn(step):
            return
        inputs = tuple(self.written(name, x) for name, x in zip(step.inputs, step.xs, strict=True))
        self.steps.append(replace(step, inputs=inputs))
        (self.last if _turns(step.type) else self.first)[step.name] = step.name

    def written(self, name: str, type: TensorType) -> str:
        """The step that gives this tensor in the order it was written in; an exchange of axes is added if there is
        none yet."""
        if not _turns(type):
            return self.first.get(name, name)
        if name not in self.last and name in self.first:
            axes = (*range(1, type.channel_axis + 1), 0, *range(type.channel_axis + 1, len(type.shape)))
            self.last[name] = f"{name}:written"
            self.steps.append(Step(self.last[name], Permute(axes=axes), (self.first[name],), (_first(type),), type, {}))
        return self.last.get(name, name)

    def channels_first(self, name: str, type: TensorType) -> str:
        """The step that gives this tensor with its channels first; an exchange of axes is added if there is none
        yet."""
        if _turns(type) and name not in self.first:
            axes = (type.channel_axis, *(axis for axis in range(len(type.shape)) if axis != type.channel_axis))
            self.first[name] = f"{name}:channels_first"
            self.steps.append(Step(self.first[name], Permute(axes=axes), (name,), (type,), _first(type), {}))
        return self.first.get(name, name)

    def _turn(self, step: Step) -> bool:
        """Adds the step with its channels first; False where it has no such form."""
        if not all(_fits(type) for type in (*step.xs, step.type)):
            return False
        forms = self._forms(step)
        if forms is None:
            return False
        inputs = tuple(self.channels_first(name, x) for name, x in zip(step.inputs, step.xs, strict=True))
        xs = tuple(map(_first, step.xs))
        self.first[step.name] = step.name if forms else inputs[0]
        for index, (op, weights) in enumerate(forms):
            last = index == len(forms) - 1
            name = step.name if last else f"{step.name}:{index}"
            type = _first(step.type) if last else op.infer(xs)
            self.steps.append(Step(name, op, inputs, xs, type, weights))
            inputs, xs = (name,), (type,)
        return True

    def _forms(self, step: Step) -> list[tuple[Op, Arrays]] | None:
        """The layers, one after the other, that do the same over maps with their channels first: an empty list where
        the step changes nothing in that order, None where there are no such layers."""
        op, x, y = step.op, step.xs[0], step.type
        if isinstance(op, Permute):
            return [] if moves_channels(op.axes, x.channel_axis) else None
        if isinstance(op, ToTokens | ToMap):
            return [] if x.size == y.size else [(Reshape(shape=_first(y).shape), {})]
        if isinstance(op, Linear) and op.is_plain:
            weight = step.weights["weight"].reshaped(y.channels, x.channels, *(1,) * x.rank)
            return [(Conv(channels=y.channels, bias=op.bias, window=1), {**step.weights, "weight": weight})]
        if isinstance(op, Attention):
            return _attention(op, x, step.weights)
        if isinstance(op, GlobalAvgPool) and x.kind == "tokens":
            return [(op, {}), (Flatten(), {})]
        same = all(other == x for other in step.xs) and y == x
        if same and ((op.is_plain and (op.any_layout or op.combines is not None)) or step.is_pointwise):
            shapes = op.weights(tuple(map(_first, step.xs)))
            return [(op, {slot: _turned(array, x, shapes[slot].shape) for slot, array in step.weights.items()})]
        return None


def _turned(weight: Later, x: TensorType, shape: tuple[int, ...]) -> Later:
    """A weight of one number a channel, or of one for each number of a tensor, in its shape for channels first."""
    if weight.size == x.channels:
        return weight.reshaped(*shape)

    def moved(array: np.ndarray) -> np.ndarray:
        import numpy as np

        whole = np.moveaxis(array.reshape(x.shape), x.channel_axis, 0)
        return np.ascontiguousarray(whole).reshape(shape)

    return weight.then(shape, moved)


def _attention(op: Attention, x: TensorType, weights: Arrays) -> list[tuple[Op, Arrays]]:
    """Projection to queries, keys and values; attention; projection of the results of all heads."""
    c, heads = x.channels, op.heads
    d = c // heads
    wide = -(-d // _HEAD_MULTIPLE) * _HEAD_MULTIPLE

    def filled(weight: Later, *columns: int) -> Later:
        """`(3·heads·d, *columns)` with queries scaled, and zeros behind the channels of every head."""
        shape = (3 * heads * wide, *columns)

        def make(array: np.ndarray) -> np.ndarray:
            import numpy as np

            scale = np.array([1 / sqrt(d), 1, 1]).reshape(3, 1, 1, 1)
            parts = array.reshape(3, heads, d, -1).astype(np.float64) * scale
            parts = np.pad(parts, ((0, 0), (0, 0), (0, wide - d), (0, 0)))
            return parts.reshape(shape).astype(np.float32)

        return weight.then(shape, make)

    def back(array: np.ndarray) -> np.ndarray:
        import numpy as np

        parts = np.pad(array.reshape(c, heads, d), ((0, 0), (0, 0), (0, wide - d)))
        return np.ascontiguousarray(parts.reshape(c, heads * wide, 1))

    ins = {"weight": filled(weights["in_proj_weight"], c, 1)}
    outs = {"weight": weights["out_proj.weight"].then((c, heads * wide, 1), back)}
    if op.bias:
        ins["bias"] = filled(weights["in_proj_bias"])
        outs["bias"] = weights["out_proj.bias"]
    return [
        (Conv(channels=3 * heads * wide, bias=op.bias, window=1), ins),
        (Attend(heads=heads), {}),
        (Conv(channels=c, bias=op.bias, window=1), outs),
    ]


def _turns(type: TensorType) -> bool:
    return type.channel_axis != 0


def _fits(type: TensorType) -> bool:
    return type.dtype == "float32" and type.rank <= 3


def _first(type: TensorType) -> TensorType:
    return TensorType(shape=(type.channels, *type.size), dtype=type.dtype)
