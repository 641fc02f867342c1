"""The products of a layer with a weight that is not its own."""

from __future__ import annotations

from typing import Any

from cnndsl.backends.pytorch.library import nn
from cnndsl.backends.tvm.program.steps import Step
from cnndsl.ir.window import Window
from cnndsl.ops.conv import Conv


def product(anchor: Step, x: Any, weight: Any, bias: Any = None) -> Any:
    """What a convolution or a fully connected layer makes of `x` with this weight and bias."""
    if not isinstance(anchor.op, Conv):
        return nn.functional.linear(x, weight, bias)
    return convolution(x, weight, bias, anchor.op.window_over(anchor.xs[0]), anchor.op.groups)


def convolution(x: Any, weight: Any, bias: Any, window: Window, groups: int) -> Any:
    """A convolution over one, two or three axes, with zeros around the map."""
    padding = window.before
    if window.before != window.after:
        pads = [n for pair in zip(window.before[::-1], window.after[::-1], strict=True) for n in pair]
        x, padding = nn.functional.pad(x, pads), (0,) * len(window.kernel)
    conv = (nn.functional.conv1d, nn.functional.conv2d, nn.functional.conv3d)[len(window.kernel) - 1]
    return conv(x, weight, bias, window.stride, padding, window.dilation, groups)
