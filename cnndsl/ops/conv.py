"""Convolution over one, two or three axes."""

from __future__ import annotations

from math import prod, sqrt
from typing import Any, ClassVar, Literal, Self, final

from cnndsl.diagnostics.errors import Refusal
from cnndsl.ir.arguments import Axes, Padding, Positive, per_axis
from cnndsl.ir.call import Call, alike, padding
from cnndsl.ir.op import Op, Tensors, register
from cnndsl.ir.shared.refusals import needed_window, refuse_groups, refuse_no_map
from cnndsl.ir.shared.relax_words import padded_by_take
from cnndsl.ir.shared.torch_words import pads_from_the_last, short
from cnndsl.ir.tensor import TensorType
from cnndsl.ir.weight import Weight
from cnndsl.ir.window import Window, make_window


@final
@register
class Conv(Op):
    """Slide a window of weights over the map: each output position is the weighted sum of what it sees.

    The window is written in the word: `Conv3x3(64)`, `Conv1x7(32)`, `Conv3(8)` for 3 on every axis. Input channels are
    inferred. On a map with one, two or three axes it is PyTorch's Conv1d, Conv2d or Conv3d.
    """

    word: ClassVar = "Conv"
    category: ClassVar = "convolution"
    fresh: ClassVar = True
    takes_window: ClassVar = True
    examples: ClassVar = (
        ("Conv3x3(8)", (3, 9, 10)),
        ("Conv7x7(4, 2, pad=3, bias=false)", (3, 15, 15)),
        ("Conv3x3(6, dilation=2, groups=3)", (3, 9, 9)),
        ("Conv1x7(5)", (2, 8, 9)),
        ("Conv3x3(4, stride=2, pad=same_tf)", (2, 8, 9)),
        ("Conv2x2(4, pad=valid)", (2, 7, 7)),
        ("Conv3x3(4, pad=((0, 1), (2, 0)))", (2, 6, 6)),
        ("Conv3x3(4, pad_mode=reflect)", (2, 6, 6)),
        ("Conv9(4, stride=4)", (1, 64)),
        ("Conv3(4, pad=causal, dilation=2)", (2, 12)),
        ("Conv3x3x3(4)", (2, 5, 6, 7)),
    )

    channels: Positive | None = None
    """Output channels; as many as come in when left out."""
    stride: Axes = 1
    """Step between windows."""
    pad: Padding = "same"
    """Rows and columns added around the input: `same` is (k-1)//2·dilation on both sides, `valid` none, `same_tf`
    what TensorFlow's `SAME` adds, `causal` (k-1)·dilation before the first axis and like `same` on others; or a number,
    one per axis, or (before, after) pairs."""
    dilation: Axes = 1
    """Distance between the window's taps."""
    groups: Positive = 1
    """Parts into which channels are divided; each output part sees one input part."""
    bias: bool = True
    """Whether a trained number is added to each output channel."""
    pad_mode: Literal["zeros", "reflect", "replicate", "circular"] = "zeros"
    """What the added rows hold."""
    window: Axes | None = None
    """The size of the window, when it is not written in the word."""

    def _out(self, x: TensorType) -> int:
        return self.channels or x.channels

    def window_over(self, x: TensorType) -> Window:
        refuse_no_map(x, self.word)
        window = needed_window(self.window, self.word, channels=self.channels or "")
        return make_window(
            x.size,
            per_axis(window, x.rank, "window"),
            per_axis(self.stride, x.rank, "stride"),
            self.pad,
            per_axis(self.dilation, x.rank, "dilation"),
        )

    def infer(self, xs: Tensors) -> TensorType:
        (x,) = xs
        window = self.window_over(x)
        refuse_groups(self.groups, x.channels, self._out(x))
        self._check_mode(x, window)
        return x.resized(window.output_size(x.size)).with_channels(self._out(x))

    def _check_mode(self, x: TensorType, window: Window) -> None:
        if self.pad_mode in ("zeros", "replicate"):
            return
        slack = 1 if self.pad_mode == "reflect" else 0
        most = tuple(n - slack for n in x.size)
        if any(max(b, a) > m for b, a, m in zip(window.before, window.after, most, strict=True)):
            raise Refusal(
                "out-of-range",
                f"`pad_mode={self.pad_mode}` cannot add more rows than the input has",
                argument="pad",
                notes=(f"expected at most {max(most)} on an input of {x}, found {max(window.before + window.after)}",),
                help="pad less, or write `pad_mode=replicate`",
            )

    def weights(self, xs: Tensors) -> dict[str, Weight]:
        (x,) = xs
        kernel = self.window_over(x).kernel
        fan_in = x.channels // self.groups * prod(kernel)
        bound = 1 / sqrt(fan_in)
        weights = {
            "weight": Weight(shape=(self._out(x), x.channels // self.groups, *kernel), init="uniform", bound=bound)
        }
        if self.bias:
            weights["bias"] = Weight(shape=(self._out(x),), init="uniform", bound=bound)
        return weights

    def macs(self, xs: Tensors, y: TensorType) -> int:
        (x,) = xs
        return y.elements * (x.channels // self.groups) * prod(self.window_over(x).kernel)

    def arithmetic(self, xs: Tensors, y: TensorType) -> int:
        return y.elements if self.bias else 0

    def _pads_apart(self, window: Window) -> bool:
        """Whether the padding must be added before torch's convolution, which takes the same padding on both sides."""
        return not window.symmetric

    def to_torch(self, nn: Any, xs: Tensors) -> Any:
        (x,) = xs
        window = self.window_over(x)
        apart = self._pads_apart(window)
        given: dict[str, Any] = {
            "stride": (window.stride, (1,) * x.rank),
            "padding": ((0,) * x.rank if apart else window.before, (0,) * x.rank),
            "dilation": (window.dilation, (1,) * x.rank),
        }
        options: dict[str, Any] = {name: short(value) for name, (value, default) in given.items() if value != default}
        if self.groups != 1:
            options["groups"] = self.groups
        if not self.bias:
            options["bias"] = False
        if self.pad_mode != "zeros" and not apart:
            options["padding_mode"] = self.pad_mode
        module = (nn.Conv1d, nn.Conv2d, nn.Conv3d)[x.rank - 1]
        return module(x.channels, self._out(x), short(window.kernel), **options)

    def call_torch(self, torch: Any, module: Any, xs: Tensors, *values: Any) -> Any:
        (x,) = xs
        window = self.window_over(x)
        if not self._pads_apart(window):
            return module(*values)
        amounts = pads_from_the_last(window)
        mode = {"zeros": "constant"}.get(self.pad_mode, self.pad_mode)
        options = {} if mode == "constant" else {"mode": mode}
        return module(torch.nn.functional.pad(values[0], amounts, **options))

    def to_relax(self, relax: Any, xs: Tensors, values: tuple[Any, ...], weights: dict[str, Any]) -> Any:
        (x,) = xs
        window = self.window_over(x)
        data, padding = values[0], [*window.before, *window.after]
        if self.pad_mode != "zeros" and any(padding):
            data, padding = padded_by_take(relax, x, data, window, self.pad_mode), [0] * (2 * x.rank)
        conv = (relax.op.nn.conv1d, relax.op.nn.conv2d, relax.op.nn.conv3d)[x.rank - 1]
        y = conv(
            data,
            weights["weight"],
            strides=list(window.stride),
            padding=padding,
            dilation=list(window.dilation),
            groups=self.groups,
        )
        if "bias" in weights:
            y = relax.op.add(y, relax.op.reshape(weights["bias"], (1, self._out(x), *(1,) * x.rank)))
        return y

    @classmethod
    def recognise(cls, call: Call, xs: Tensors) -> Self | None:
        if call.target not in ("conv1d", "conv2d", "conv3d") or "weight" not in call.weights:
            return None
        x, rank = xs[0], xs[0].rank
        out, _, *kernel = call.weights["weight"]
        groups = call.arguments.get("groups", 1)
        if groups == x.channels > 1 and out % groups == 0:
            return None  # Each channel by itself is `DWConv`.
        return cls(
            channels=out,
            groups=groups,
            window=alike(kernel, rank),
            stride=call.window("stride", rank),
            dilation=call.window("dilation", rank),
            pad=padding(call, kernel, rank),
            pad_mode=call.arguments.get("pad_mode", "zeros"),
            bias="bias" in call.weights,
        )
