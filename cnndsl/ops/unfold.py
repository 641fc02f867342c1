"""Windows laid out in the channels."""

from __future__ import annotations

from math import prod
from typing import Any, ClassVar, Self, final

from cnndsl.ir.arguments import Axes, Padding, per_axis
from cnndsl.ir.call import Call, padding
from cnndsl.ir.op import Op, Tensors, register
from cnndsl.ir.shared.refusals import needed_window, refuse_no_image
from cnndsl.ir.shared.torch_words import pads_from_the_last, short
from cnndsl.ir.tensor import TensorType
from cnndsl.ir.window import Window, make_window


@final
@register
class Unfold(Op):
    """What each window sees, as channels of its position: C·k² of them, all taps of the first channel first.

    The map stays a map, of as many positions as a `Conv` with this window would leave; `Reshape(C, 9, h, w)` parts channels
    and taps. Maps of two axes.
    """

    word: ClassVar = "Unfold"
    category: ClassVar = "shape"
    takes_window: ClassVar = True
    examples: ClassVar = (
        ("Unfold3x3", (3, 5, 6)),
        ("Unfold3x3(2)", (3, 6, 7)),
        ("Unfold2x2(2, pad=valid)", (2, 6, 4)),
        ("Unfold3x3(pad=same, dilation=2)", (2, 6, 7)),
        ("Unfold3x2(pad=((0, 1), (1, 0)))", (2, 6, 7)),
    )

    stride: Axes = 1
    """Step between windows."""
    pad: Padding = "same"
    """Rows and columns of zeros added around the input, as in `Conv`."""
    dilation: Axes = 1
    """Distance between the window's taps."""
    window: Axes | None = None
    """The size of the window, when it is not written in the word."""

    def window_over(self, x: TensorType) -> Window:
        refuse_no_image(x, self.word)
        return make_window(
            x.size,
            per_axis(needed_window(self.window, self.word), 2, "window"),
            per_axis(self.stride, 2, "stride"),
            self.pad,
            per_axis(self.dilation, 2, "dilation"),
        )

    def infer(self, xs: Tensors) -> TensorType:
        (x,) = xs
        window = self.window_over(x)
        return x.resized(window.output_size(x.size)).with_channels(x.channels * prod(window.kernel))

    def call_torch(self, torch: Any, module: Any, xs: Tensors, *values: Any) -> Any:
        (x,), (value,), functional = xs, values, torch.nn.functional
        window, padding = self.window_over(x), {}
        if not window.symmetric:
            value = functional.pad(value, pads_from_the_last(window))
        elif any(window.before):
            padding = {"padding": short(window.before)}
        columns = functional.unfold(
            value, short(window.kernel), dilation=short(window.dilation), stride=short(window.stride), **padding
        )
        return columns.reshape(-1, *self.infer(xs).shape)

    def to_relax(self, relax: Any, xs: Tensors, values: tuple[Any, ...], weights: dict[str, Any]) -> Any:
        (x,) = xs
        window = self.window_over(x)
        return relax.op.nn.conv2d(
            values[0],
            taps(relax, x.channels, window.kernel),
            strides=list(window.stride),
            padding=[*window.before, *window.after],
            dilation=list(window.dilation),
            groups=x.channels,
        )

    @classmethod
    def recognise(cls, call: Call, xs: Tensors) -> Self | None:
        if call.target != "unfold2d":
            return None
        return cls(
            window=call.window("kernel_size", 2),
            stride=call.window("stride", 2),
            pad=padding(call, list(per_axis(call.window("kernel_size", 2), 2, "window")), 2),
            dilation=call.window("dilation", 2),
        )


def taps(relax: Any, channels: int, kernel: tuple[int, ...]) -> Any:
    """For each channel and each tap of a window a kernel that is 1 there and 0 elsewhere, as a Relax expression."""
    height, width = kernel
    count = height * width
    ones = [[[[float(y * width + x == tap) for x in range(width)] for y in range(height)]] for tap in range(count)]
    return relax.op.tile(relax.const(ones, "float32"), (channels, 1, 1, 1))
