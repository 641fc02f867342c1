"""Convolution with standardised weights."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal, final

from pydantic import Field

from cnndsl.ir.arguments import Axes, Padding, Positive
from cnndsl.ir.op import Op, Tensors, register
from cnndsl.ir.refusals import needed_window
from cnndsl.ir.tensor import TensorType
from cnndsl.ir.torch_words import pads_from_the_last, short
from cnndsl.ir.weight import Weight
from cnndsl.ir.window import Window
from cnndsl.ops.conv import Conv


@final
@register
class StdConv(Op):
    """A `Conv` whose weights are brought to mean 0 and variance 1 for each output channel (Qiao et al., 2019).

    The weights before standardisation are trained and saved. The variance is the biased one, as in BiT's published code; its
    eps there is 1e-10 and in timm 1e-8 for BiT and 1e-6 otherwise.
    """

    word: ClassVar = "StdConv"
    category: ClassVar = "convolution"
    takes_window: ClassVar = True
    follows: ClassVar = "Conv"
    fresh: ClassVar = True
    examples: ClassVar = (
        ("StdConv3x3(8)", (3, 9, 10)),
        ("StdConv3x3(6, 2, groups=3, bias=false)", (3, 9, 9)),
        ("StdConv3x3(4, 2, pad=same_tf, eps=1e-6)", (2, 8, 9)),
        ("StdConv3(4, pad_mode=reflect)", (2, 8)),
        ("StdConv3x3x3(4)", (2, 4, 5, 6)),
    )

    channels: Positive | None = None
    """Output channels; as many as come in when left out."""
    stride: Axes = 1
    """Step between windows."""
    pad: Padding = "same"
    """Rows and columns added around the input, as in `Conv`."""
    dilation: Axes = 1
    """Distance between the window's taps."""
    groups: Positive = 1
    """Parts into which channels are divided; each output part sees one input part."""
    bias: bool = True
    """Whether a trained number is added to each output channel."""
    pad_mode: Literal["zeros", "reflect", "replicate", "circular"] = "zeros"
    """What the added rows hold."""
    eps: Annotated[float, Field(gt=0)] = 1e-8
    """Added to the variance."""
    window: Axes | None = None
    """The size of the window, when it is not written in the word."""

    def conv(self) -> Conv:
        """The convolution that takes the standardised weights."""
        needed_window(self.window, self.word, channels=self.channels or "")
        return Conv(**{name: getattr(self, name) for name in type(self).model_fields if name != "eps"})

    def standardized(self, weight: Any) -> Any:
        """The weights as they are used, from a NumPy array."""
        axes = tuple(range(1, weight.ndim))
        centred = weight - weight.mean(axes, keepdims=True)
        return centred / (weight.var(axes, keepdims=True) + self.eps) ** 0.5

    def window_over(self, x: TensorType) -> Window:
        return self.conv().window_over(x)

    def infer(self, xs: Tensors) -> TensorType:
        return self.conv().infer(xs)

    def weights(self, xs: Tensors) -> dict[str, Weight]:
        return self.conv().weights(xs)

    def macs(self, xs: Tensors, y: TensorType) -> int:
        return self.conv().macs(xs, y)

    def arithmetic(self, xs: Tensors, y: TensorType) -> int:
        # In use the weights are standardised once, not for every image.
        return self.conv().arithmetic(xs, y)

    def to_torch(self, nn: Any, xs: Tensors) -> Any:
        return self.conv().to_torch(nn, xs)

    def call_torch(self, torch: Any, module: Any, xs: Tensors, *values: Any) -> Any:
        (x,), (value,), functional = xs, values, torch.nn.functional
        window = self.window_over(x)
        padding: Any = short(window.before)
        if self.pad_mode != "zeros" or not window.symmetric:
            amounts = pads_from_the_last(window)
            mode = {"zeros": "constant"}.get(self.pad_mode, self.pad_mode)
            value, padding = functional.pad(value, amounts, mode=mode), 0
        options: dict[str, Any] = {
            "stride": short(window.stride),
            "padding": padding,
            "dilation": short(window.dilation),
            "groups": self.groups,
        }
        axes = list(range(1, x.rank + 2))
        centred = module.weight - module.weight.mean(axes, keepdim=True)
        variance = module.weight.var(axes, correction=0, keepdim=True)
        conv = (functional.conv1d, functional.conv2d, functional.conv3d)[x.rank - 1]
        return conv(
            value,
            centred * (variance + self.eps).rsqrt(),
            module.bias,
            **{name: number for name, number in options.items() if number != (0 if name == "padding" else 1)},
        )

    def to_relax(self, relax: Any, xs: Tensors, values: tuple[Any, ...], weights: dict[str, Any]) -> Any:
        (x,) = xs
        op, axes = relax.op, list(range(1, x.rank + 2))
        weight = weights["weight"]
        centred = op.subtract(weight, op.mean(weight, axis=axes, keepdims=True))
        variance = op.mean(op.multiply(centred, centred), axis=axes, keepdims=True)
        used = op.multiply(centred, op.rsqrt(op.add(variance, relax.const(self.eps, "float32"))))
        return self.conv().to_relax(relax, xs, values, weights | {"weight": used})
