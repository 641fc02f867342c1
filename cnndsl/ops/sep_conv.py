"""Depthwise separable convolution."""

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
class SepConv(Op):
    """A depthwise convolution over space, then a 1×1 convolution over channels (Chollet, 2016).

    Two layers in one, `depthwise` and `pointwise` in the names of weights. `stride`, `pad` and `dilation` are for
    the first one, `bias` is for both. Where something stands between the two, write `DWConv3x3 → BN → ReLU → Conv1x1(64)`.
    """

    word: ClassVar = "SepConv"
    category: ClassVar = "convolution"
    factor: ClassVar = True
    takes_window: ClassVar = True
    follows: ClassVar = "Conv"
    fresh: ClassVar = True
    examples: ClassVar = (
        ("SepConv3x3(8)", (3, 9, 10)),
        ("SepConv5x5(4, 2, bias=false)", (3, 9, 9)),
        ("SepConv3x3(5, pad=same_tf, stride=2)", (3, 8, 8)),
        ("SepConv3x3(dilation=2, pad_mode=reflect)", (3, 9, 9)),
        ("SepConv9(4)", (2, 16)),
        ("SepConv3x3x3(4)", (2, 4, 5, 6)),
    )

    channels: Positive | None = None
    """Output channels; as many as come in when left out."""
    stride: Axes = 1
    """Step between windows."""
    pad: Padding = "same"
    """Rows and columns added around the input, as in `Conv`."""
    dilation: Axes = 1
    """Distance between the window's taps."""
    bias: bool = True
    """Whether a trained number is added to each output channel, of both convolutions."""
    pad_mode: Literal["zeros", "reflect", "replicate", "circular"] = "zeros"
    """What the added rows hold."""
    window: Axes | None = None
    """The size of the window, when it is not written in the word."""

    def depthwise(self, x: TensorType) -> Conv:
        """The first convolution."""
        needed_window(self.window, self.word, channels=self.channels or "")
        arguments = {name: getattr(self, name) for name in type(self).model_fields if name != "channels"}
        return Conv(channels=x.channels, groups=x.channels, **arguments)

    def pointwise_conv(self, x: TensorType) -> Conv:
        """The second convolution."""
        return Conv(channels=self.channels or x.channels, bias=self.bias, window=1)

    def _between(self, x: TensorType) -> TensorType:
        return self.depthwise(x).infer((x,))

    def window_over(self, x: TensorType) -> Window:
        return self.depthwise(x).window_over(x)

    def infer(self, xs: Tensors) -> TensorType:
        (x,) = xs
        return self.pointwise_conv(x).infer((self._between(x),))

    def weights(self, xs: Tensors) -> dict[str, Weight]:
        (x,) = xs
        parts = {
            "depthwise": self.depthwise(x).weights((x,)),
            "pointwise": self.pointwise_conv(x).weights((self._between(x),)),
        }
        return {f"{part}.{slot}": weight for part, weights in parts.items() for slot, weight in weights.items()}

    def macs(self, xs: Tensors, y: TensorType) -> int:
        (x,) = xs
        between = self._between(x)
        return self.depthwise(x).macs(xs, between) + self.pointwise_conv(x).macs((between,), y)

    def arithmetic(self, xs: Tensors, y: TensorType) -> int:
        (x,) = xs
        return self._between(x).elements + y.elements if self.bias else 0

    def to_torch(self, nn: Any, xs: Tensors) -> Any:
        (x,) = xs
        depthwise, pointwise = (
            self.depthwise(x).to_torch(nn, (x,)),
            self.pointwise_conv(x).to_torch(nn, (self._between(x),)),
        )
        return nn.ModuleDict([("depthwise", depthwise), ("pointwise", pointwise)])

    def call_torch(self, torch: Any, module: Any, xs: Tensors, *values: Any) -> Any:
        (x,) = xs
        between = self.depthwise(x).call_torch(torch, module["depthwise"], xs, *values)
        return self.pointwise_conv(x).call_torch(torch, module["pointwise"], (self._between(x),), between)

    def to_relax(self, relax: Any, xs: Tensors, values: tuple[Any, ...], weights: dict[str, Any]) -> Any:
        (x,) = xs
        between = self.depthwise(x).to_relax(relax, xs, values, part("depthwise", weights))
        return self.pointwise_conv(x).to_relax(relax, (self._between(x),), (between,), part("pointwise", weights))

    @classmethod
    def recognise(cls, call: Call, xs: Tensors) -> Self | None:
        if call.target != "sep_conv":
            return None
        rank = xs[0].rank
        _, _, *kernel = call.weights["depthwise.weight"]
        return cls(
            channels=call.weights["pointwise.weight"][0],
            window=alike(kernel, rank),
            stride=call.window("stride", rank),
            dilation=call.window("dilation", rank),
            pad=padding(call, kernel, rank),
            pad_mode=call.arguments.get("pad_mode", "zeros"),
            bias="depthwise.bias" in call.weights,
        )


def part(name: str, weights: dict[str, Any]) -> dict[str, Any]:
    """The weights of the convolution of this name, by the slots that this convolution has by itself."""
    return {slot.removeprefix(f"{name}."): value for slot, value in weights.items() if slot.startswith(f"{name}.")}
