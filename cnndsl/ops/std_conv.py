"""Convolution with standardised weights."""

from __future__ import annotations

from collections.abc import Mapping
from math import prod, sqrt
from typing import Annotated, Any, ClassVar, Literal, Self, final

from pydantic import Field

from cnndsl.ir.arguments import Axes, Padding, Positive
from cnndsl.ir.call import Call, alike, padding
from cnndsl.ir.op import Op, Tensors, register
from cnndsl.ir.shared.refusals import needed_window
from cnndsl.ir.shared.torch_words import pads_from_the_last, short
from cnndsl.ir.tensor import TensorType
from cnndsl.ir.weight import Weight
from cnndsl.ir.window import Window
from cnndsl.ops.conv import Conv

_OWN = ("eps", "gain", "gamma")
"""Arguments that `Conv` does not have."""


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
        ("StdConv3x3(6, 2, groups=3, gain=true, gamma=1.7)", (3, 9, 9)),
        ("StdConv3(4, gain=true, bias=false)", (2, 8)),
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
    gain: bool = False
    """Whether the standardised weights are multiplied by a trained number for each output channel, and divided by the root
    of the number of inputs of one output: the scaled convolution of NFNet (Brock et al., 2021)."""
    gamma: float = 1.0
    """A constant factor of the standardised weights, which makes up for what an activation takes from the variance."""
    window: Axes | None = None
    """The size of the window, when it is not written in the word."""

    def conv(self) -> Conv:
        """The convolution that takes the standardised weights."""
        needed_window(self.window, self.word, channels=self.channels or "")
        return Conv(**{name: getattr(self, name) for name in type(self).model_fields if name not in _OWN})

    def _factor(self, shape: tuple[int, ...]) -> float:
        """The constant factor of standardised weights of this shape."""
        return self.gamma / sqrt(prod(shape[1:])) if self.gain else self.gamma

    def standardized(self, weights: Mapping[str, Any]) -> Any:
        """The weights as the convolution uses them, from NumPy arrays."""
        weight = weights["weight"]
        axes = tuple(range(1, weight.ndim))
        centred = weight - weight.mean(axes, keepdims=True)
        used = centred / (weight.var(axes, keepdims=True) + self.eps) ** 0.5
        factor = self._factor(weight.shape)
        used = used if factor == 1 else used * factor
        return used * weights["gain"] if self.gain else used

    def window_over(self, x: TensorType) -> Window:
        return self.conv().window_over(x)

    def infer(self, xs: Tensors) -> TensorType:
        return self.conv().infer(xs)

    def weights(self, xs: Tensors) -> dict[str, Weight]:
        (x,) = xs
        weights = self.conv().weights(xs)
        if self.gain:
            weights["gain"] = Weight(shape=(weights["weight"].shape[0], *(1,) * (x.rank + 1)), init="ones")
        return weights

    def macs(self, xs: Tensors, y: TensorType) -> int:
        return self.conv().macs(xs, y)

    def arithmetic(self, xs: Tensors, y: TensorType) -> int:
        # In use the weights are standardised once, not for every image.
        return self.conv().arithmetic(xs, y)

    def to_torch(self, nn: Any, xs: Tensors) -> Any:
        # Torch's convolutions have no room for a gain: the weights then lie in a bare module.
        return None if self.gain else self.conv().to_torch(nn, xs)

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
        used = centred * (variance + self.eps).rsqrt()
        factor = self._factor(self.conv().weights(xs)["weight"].shape)
        if factor != 1:
            used = used * factor
        if self.gain:
            used = used * module.gain
        return conv(
            value,
            used,
            module.bias if self.bias or not self.gain else None,
            **{name: number for name, number in options.items() if number != (0 if name == "padding" else 1)},
        )

    def to_relax(self, relax: Any, xs: Tensors, values: tuple[Any, ...], weights: dict[str, Any]) -> Any:
        (x,) = xs
        op, axes = relax.op, list(range(1, x.rank + 2))
        weight = weights["weight"]
        centred = op.subtract(weight, op.mean(weight, axis=axes, keepdims=True))
        variance = op.mean(op.multiply(centred, centred), axis=axes, keepdims=True)
        used = op.multiply(centred, op.rsqrt(op.add(variance, relax.const(self.eps, "float32"))))
        factor = self._factor(self.conv().weights(xs)["weight"].shape)
        if factor != 1:
            used = op.multiply(used, relax.const(factor, "float32"))
        if self.gain:
            used = op.multiply(used, weights["gain"])
        return self.conv().to_relax(relax, xs, values, weights | {"weight": used})

    @classmethod
    def recognise(cls, call: Call, xs: Tensors) -> Self | None:
        if call.target != "standardized_conv":
            return None
        rank = xs[0].rank
        out, _, *kernel = call.weights["weight"]
        return cls(
            channels=out,
            groups=call["groups"],
            window=alike(kernel, rank),
            stride=call.window("stride", rank),
            dilation=call.window("dilation", rank),
            pad=padding(call, kernel, rank),
            pad_mode=call.arguments.get("pad_mode", "zeros"),
            bias="bias" in call.weights,
            eps=call["eps"],
            gain="gain" in call.weights,
            gamma=call.arguments.get("gamma", 1.0),
        )
