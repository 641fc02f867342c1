"""Anti-aliased downsampling."""

from __future__ import annotations

from math import comb, prod
from typing import Any, ClassVar, Literal, Self, final

from cnndsl.diagnostics.errors import Refusal
from cnndsl.ir.arguments import Axes, per_axis
from cnndsl.ir.call import Call
from cnndsl.ir.op import Op, Tensors, register
from cnndsl.ir.shared.refusals import refuse_no_map
from cnndsl.ir.shared.relax_words import padded_by_take
from cnndsl.ir.shared.torch_words import pads_from_the_last, short
from cnndsl.ir.tensor import TensorType
from cnndsl.ir.window import Window, make_window, products
from cnndsl.ir.written import sizes


@final
@register
class BlurPool(Op):
    """Smooth each channel before taking every second position, so that small shifts stay small (Zhang, 2019).

    The filter is constant, so there are no weights: binomial coefficients, `1 2 1` over 4 for a window of 3. The edge is
    reflected, with `(k-1)//2` rows before and `k//2` after, as in the author's `antialiased-cnns`, or zeros are added there; the
    size becomes `ceil(size / stride)`.
    """

    word: ClassVar = "BlurPool"
    category: ClassVar = "pooling"
    takes_window: ClassVar = True
    examples: ClassVar = (
        ("BlurPool", (3, 8, 9)),
        ("BlurPool5x5", (2, 11, 12)),
        ("BlurPool4x4", (2, 10, 12)),
        ("BlurPool3x3(1)", (2, 6, 7)),
        ("BlurPool", (2, 9)),
        ("BlurPool1x3x3((1, 2, 2))", (2, 3, 6, 6)),
        ("BlurPool(pad_mode=zeros)", (3, 8, 9)),
        ("BlurPool4x4(pad_mode=zeros)", (2, 2, 3)),
    )

    stride: Axes = 2
    """Step between the positions that are kept."""
    pad_mode: Literal["reflect", "zeros"] = "reflect"
    """What the rows around the input hold."""
    window: Axes = 3
    """The size of the filter, when it is not written in the word."""

    def window_over(self, x: TensorType) -> Window:
        """The rows that are reflected count as padding. With an even window over an odd size, the last position therefore
        reads one input just outside this window: the one that is reflected into it."""
        refuse_no_map(x, self.word)
        kernel = per_axis(self.window, x.rank, "window")
        pads = tuple(((k - 1) // 2, k // 2) for k in kernel)
        return make_window(x.size, kernel, per_axis(self.stride, x.rank, "stride"), pads, (1,) * x.rank)

    def infer(self, xs: Tensors) -> TensorType:
        (x,) = xs
        window = self.window_over(x)
        if self.pad_mode == "reflect" and any(a >= n for a, n in zip(window.after, x.size, strict=True)):
            raise Refusal(
                "window-too-large",
                f"`BlurPool` cannot reflect {max(window.after)} rows of an input of {sizes(x.size)}",
                notes=(f"expected more than {max(window.after)} positions on each axis, found {min(x.size)}",),
                help="take a smaller window, downsample less before this layer, or write `pad_mode=zeros`",
            )
        return x.resized(window.output_size(x.size))

    def macs(self, xs: Tensors, y: TensorType) -> int:
        (x,) = xs
        return y.elements * prod(self.window_over(x).kernel)

    def _filter(self, x: TensorType) -> Any:
        """The filter as nested lists: products of binomial coefficients, which sum to 1."""
        return products([[comb(k - 1, i) / 2 ** (k - 1) for i in range(k)] for k in self.window_over(x).kernel])

    def call_torch(self, torch: Any, module: Any, xs: Tensors, *values: Any) -> Any:
        (x,), (value,), functional = xs, values, torch.nn.functional
        window = self.window_over(x)
        amounts = pads_from_the_last(window)
        if any(amounts):
            value = functional.pad(value, amounts, mode="constant" if self.pad_mode == "zeros" else "reflect")
        weight = values[0].new_tensor(self._filter(x)).expand(x.channels, 1, *(-1,) * x.rank)
        conv = (functional.conv1d, functional.conv2d, functional.conv3d)[x.rank - 1]
        return conv(value, weight, stride=short(window.stride), groups=x.channels)

    def to_relax(self, relax: Any, xs: Tensors, values: tuple[Any, ...], weights: dict[str, Any]) -> Any:
        (x,), op = xs, relax.op
        window = self.window_over(x)
        weight = op.broadcast_to(relax.const([[self._filter(x)]], "float32"), (x.channels, 1, *window.kernel))
        conv = (op.nn.conv1d, op.nn.conv2d, op.nn.conv3d)[x.rank - 1]
        if self.pad_mode == "zeros":
            padding = [*window.before, *window.after]
            return conv(values[0], weight, strides=list(window.stride), padding=padding, groups=x.channels)
        padded = padded_by_take(relax, x, values[0], window, "reflect")
        return conv(padded, weight, strides=list(window.stride), groups=x.channels)

    @classmethod
    def recognise(cls, call: Call, xs: Tensors) -> Self | None:
        if call.target != "blur_pool":
            return None
        rank = xs[0].rank
        window, stride = call.window("kernel_size", rank), call.window("stride", rank)
        return cls(window=window, stride=stride, pad_mode=call["pad_mode"])
