"""The pass that puts layers for which there are kernels in place of others that, with known weights, are the same."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from cnndsl.backends.tvm.program.later import Later
from cnndsl.backends.tvm.program.steps import Program, Step
from cnndsl.ir.op import Op
from cnndsl.ir.tensor import TensorType
from cnndsl.ops.conv import Conv
from cnndsl.ops.conv_t import ConvT
from cnndsl.ops.dw_conv import DWConv
from cnndsl.ops.fc import FC
from cnndsl.ops.linear import Linear
from cnndsl.ops.pixel_shuffle import PixelShuffle
from cnndsl.ops.sep_conv import SepConv, part
from cnndsl.ops.slice import Slice
from cnndsl.ops.std_conv import StdConv

if TYPE_CHECKING:
    import numpy as np

Arrays = Mapping[str, Later]
Part = tuple[Op, Arrays]
"""A layer and its weights by slot."""


def with_equivalents(program: Program) -> Program:
    """With the layers of `equivalent` in place of each step. The last of them keeps the step's name, those before it
    have a number behind it."""
    steps: list[Step] = []
    for step in program.steps:
        inputs, xs = step.inputs, step.xs
        *before, (last, weights) = equivalent(step.op, xs[0], step.weights)
        for index, (op, own) in enumerate(before):
            name, type = f"{step.name}:{index}", op.infer(xs)
            steps.append(Step(name, op, inputs, xs, type, own))
            inputs, xs = (name,), (type,)
        steps.append(Step(step.name, last, inputs, xs, step.type, weights))
    return Program(program.inputs, tuple(steps), program.outputs)


def equivalent(op: Op, x: TensorType, weights: Arrays) -> tuple[Part, ...]:
    """The layers, one after the other, that give what `op` gives; most are their own only one."""
    if isinstance(op, DWConv):
        return ((op.conv(x), weights),)
    if isinstance(op, StdConv):
        return ((op.conv(), _standardized(op, weights)),)
    if isinstance(op, SepConv):
        own = dict(weights)
        return (op.depthwise(x), part("depthwise", own)), (op.pointwise_conv(x), part("pointwise", own))
    if isinstance(op, Linear) and op.axis == "channels":
        return _linear(op, x, weights)
    if isinstance(op, PixelShuffle) and op.order == "dcr":
        return (op.by_pixels(x), {}), (PixelShuffle(r=op.r), {})
    if isinstance(op, ConvT):
        return _transposed(op, x, weights)
    return ((op, weights),)


def _standardized(op: StdConv, weights: Arrays) -> Arrays:
    own = {slot: array for slot, array in weights.items() if slot == "bias"}

    def standardized() -> np.ndarray:
        import numpy as np

        wide = {slot: np.asarray(array.numpy(), np.float64) for slot, array in weights.items()}
        return np.asarray(op.standardized(wide), np.float32)

    return {"weight": Later(weights["weight"].shape, standardized), **own}


def _linear(op: Linear, x: TensorType, weights: Arrays) -> tuple[Part, ...]:
    units = op.units or x.channels
    if x.kind == "vector":
        return ((FC(units=units, bias=op.bias), weights),)
    if x.kind == "map" and x.channel_axis == 0:
        kernel = weights["weight"].reshaped(units, x.channels, *(1,) * x.rank)
        return ((Conv(channels=units, bias=op.bias, window=1), {**weights, "weight": kernel}),)
    return ((op, weights),)


def _transposed(op: ConvT, x: TensorType, weights: Arrays) -> tuple[Part, ...]:
    """A transposed convolution of an image as a small plain one, with `stride²` times the channels, which are then laid
    out in space (Shi et al., "Is the deconvolution layer the same as a convolutional layer?", 2016), and a cut."""
    painted = op.painted(x)
    s, k = painted.stride[0], max(painted.kernel)
    taps = -(-k // s)
    y = op.infer((x,))
    starts = [before for before, _ in painted.cut]
    laid_out = [s * (n + taps - 1) for n in x.size]
    if (
        x.rank != 2
        or op.groups != 1
        or set(painted.stride) != {s}
        or s == 1
        or set(painted.dilation) != {1}
        or any(b + n > most for b, n, most in zip(starts, y.size, laid_out, strict=True))
    ):
        return ((op, weights),)
    shape = (y.channels * s * s, x.channels, taps, taps)

    def apart(weight: np.ndarray) -> np.ndarray:
        import numpy as np

        wide = np.zeros((x.channels, y.channels, taps * s, taps * s), np.float32)
        wide[:, :, : painted.kernel[0], : painted.kernel[1]] = weight
        turned = wide.reshape(x.channels, y.channels, taps, s, taps, s).transpose(1, 3, 5, 0, 2, 4)[..., ::-1, ::-1]
        return np.ascontiguousarray(turned).reshape(shape)

    own = {"weight": weights["weight"].then(shape, apart)}
    if op.bias:
        own["bias"] = weights["bias"].then(shape[:1], lambda bias: bias.repeat(s * s))
    small = Conv(channels=y.channels * s * s, pad=taps - 1, bias=op.bias, window=taps)
    parts: list[tuple[Op, Any]] = [(small, own), (PixelShuffle(r=s), {})]
    for axis, (start, n, most) in enumerate(zip(starts, y.size, laid_out, strict=True), start=1):
        if (start, n) != (0, most):
            parts.append((Slice(start=start, stop=start + n, axis=axis), {}))
    return tuple(parts)
