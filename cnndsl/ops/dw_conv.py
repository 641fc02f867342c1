"""Depthwise convolution."""

from __future__ import annotations

from typing import Any, ClassVar, Literal, Self, final

from cnndsl.ir.arguments import Axes, Padding, Positive
from cnndsl.ir.call import Call, alike, padding
from cnndsl.ir.op import Op, Tensors, register
from cnndsl.ir.shared.refusals import needed_window
from cnndsl.ir.tensor import TensorType
from cnndsl.ir.weight import Weight
from cnndsl.ir.window import Window
from cnndsl.ops.conv import Conv


@final
@register
class DWConv(Op):
    """Convolve each channel by itself: a `Conv` with as many groups as channels.

    MobileNet's first half (Howard et al., 2017). `multiplier` output channels come from each input channel.
    """

    word: ClassVar = "DWConv"
    category: ClassVar = "convolution"
    factor: ClassVar = True
    takes_window: ClassVar = True
    follows: ClassVar = "Conv"
    fresh: ClassVar = True
    examples: ClassVar = (
        ("DWConv3x3", (4, 7, 8)),
        ("DWConv5x5(2, bias=false)", (3, 9, 9)),
        ("DWConv3x3(multiplier=2, dilation=2)", (3, 9, 9)),
        ("DWConv3x3(2, pad=same_tf)", (3, 8, 8)),
        ("DWConv5(2)", (4, 16)),
        ("DWConv3x3x3", (2, 4, 5, 6)),
    )

    stride: Axes = 1
    """Step between windows."""
    multiplier: Positive = 1
    """Output channels for each input channel."""
    pad: Padding = "same"
    """Rows and columns added around the input, as in `Conv`."""
    dilation: Axes = 1
    """Distance between the window's taps."""
    bias: bool = True
    """Whether a trained number is added to each output channel."""
    pad_mode: Literal["zeros", "reflect", "replicate", "circular"] = "zeros"
    """What the added rows hold."""
    window: Axes | None = None
    """The size of the window, when it is not written in the word."""

    def conv(self, x: TensorType) -> Conv:
        """The grouped convolution that the layer is over this input."""
        needed_window(self.window, self.word)
        arguments = {name: getattr(self, name) for name in type(self).model_fields if name != "multiplier"}
        return Conv(channels=x.channels * self.multiplier, groups=x.channels, **arguments)

    def window_over(self, x: TensorType) -> Window:
        return self.conv(x).window_over(x)

    def infer(self, xs: Tensors) -> TensorType:
        (x,) = xs
        return self.conv(x).infer(xs)

    def weights(self, xs: Tensors) -> dict[str, Weight]:
        (x,) = xs
        return self.conv(x).weights(xs)

    def macs(self, xs: Tensors, y: TensorType) -> int:
        (x,) = xs
        return self.conv(x).macs(xs, y)

    def arithmetic(self, xs: Tensors, y: TensorType) -> int:
        (x,) = xs
        return self.conv(x).arithmetic(xs, y)

    def to_torch(self, nn: Any, xs: Tensors) -> Any:
        (x,) = xs
        return self.conv(x).to_torch(nn, xs)

    def call_torch(self, torch: Any, module: Any, xs: Tensors, *values: Any) -> Any:
        (x,) = xs
        return self.conv(x).call_torch(torch, module, xs, *values)

    def to_relax(self, relax: Any, xs: Tensors, values: tuple[Any, ...], weights: dict[str, Any]) -> Any:
        (x,) = xs
        return self.conv(x).to_relax(relax, xs, values, weights)

    @classmethod
    def recognise(cls, call: Call, xs: Tensors) -> Self | None:
        if call.target not in ("conv1d", "conv2d", "conv3d") or "weight" not in call.weights:
            return None
        x, rank = xs[0], xs[0].rank
        out, _, *kernel = call.weights["weight"]
        if call.arguments.get("groups", 1) != x.channels or x.channels == 1 or out % x.channels:
            return None
        return cls(
            multiplier=out // x.channels,
            window=alike(kernel, rank),
            stride=call.window("stride", rank),
            dilation=call.window("dilation", rank),
            pad=padding(call, kernel, rank),
            pad_mode=call.arguments.get("pad_mode", "zeros"),
            bias="bias" in call.weights,
        )
