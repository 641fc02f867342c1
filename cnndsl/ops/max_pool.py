"""Max pooling."""

from __future__ import annotations

from math import prod
from typing import Any, ClassVar, Self, final

from cnndsl.ir.arguments import Axes, Padding, per_axis
from cnndsl.ir.call import Call
from cnndsl.ir.op import Op, Tensors, register
from cnndsl.ir.shared.refusals import refuse_no_map
from cnndsl.ir.shared.torch_words import pads_from_the_last, short
from cnndsl.ir.tensor import TensorType
from cnndsl.ir.window import Window, make_window


@final
@register
class MaxPool(Op):
    """Keep the largest value in each window.

    `MaxPool` halves the map; `MaxPool3x3(2, 1)` is the one in ResNet. Padding never wins.
    """

    word: ClassVar = "MaxPool"
    category: ClassVar = "pooling"
    takes_window: ClassVar = True
    examples: ClassVar = (
        ("MaxPool", (3, 8, 9)),
        ("MaxPool3x3(2, 1)", (3, 11, 11)),
        ("MaxPool3x3(2, ceil=true)", (3, 10, 10)),
        ("MaxPool3x3(1, same, dilation=2)", (2, 9, 9)),
        ("MaxPool3x3(2, same_tf)", (2, 8, 8)),
        ("MaxPool4", (2, 16)),
        ("MaxPool1x2x2", (2, 3, 6, 6)),
    )

    stride: Axes | None = None
    """Step between windows; the window itself when left out."""
    pad: Padding = 0
    """Rows and columns added around the input, as in `Conv`; they never win."""
    ceil: bool = False
    """Whether a last, partly filled window counts."""
    dilation: Axes = 1
    """Distance between the positions compared."""
    window: Axes = 2
    """The size of the window, when it is not written in the word."""

    def window_over(self, x: TensorType) -> Window:
        refuse_no_map(x, self.word)
        kernel = per_axis(self.window, x.rank, "window")
        stride = kernel if self.stride is None else per_axis(self.stride, x.rank, "stride")
        window = make_window(
            x.size, kernel, stride, self.pad, per_axis(self.dilation, x.rank, "dilation"), ceil=self.ceil
        )
        window.refuse_windows_of_padding()
        return window

    def infer(self, xs: Tensors) -> TensorType:
        (x,) = xs
        return x.resized(self.window_over(x).output_size(x.size))

    def arithmetic(self, xs: Tensors, y: TensorType) -> int:
        (x,) = xs
        return y.elements * prod(self.window_over(x).kernel)

    def _pads_apart(self, window: Window) -> bool:
        """Whether the padding must be added before torch's pooling, which takes the same padding on both sides, at most half
        the window."""
        return not window.symmetric or any(2 * p > k for p, k in zip(window.before, window.kernel, strict=True))

    def to_torch(self, nn: Any, xs: Tensors) -> Any:
        (x,) = xs
        window = self.window_over(x)
        options: dict[str, Any] = {}
        if window.stride != window.kernel:
            options["stride"] = short(window.stride)
        if any(window.before) and not self._pads_apart(window):
            options["padding"] = short(window.before)
        if set(window.dilation) != {1}:
            options["dilation"] = short(window.dilation)
        if self.ceil:
            options["ceil_mode"] = True
        module = (nn.MaxPool1d, nn.MaxPool2d, nn.MaxPool3d)[x.rank - 1]
        return module(short(window.kernel), **options)

    def call_torch(self, torch: Any, module: Any, xs: Tensors, *values: Any) -> Any:
        (x,) = xs
        window = self.window_over(x)
        if not self._pads_apart(window):
            return module(*values)
        amounts = pads_from_the_last(window)
        largest = module(torch.nn.functional.pad(values[0], amounts, value=float("-inf")))
        return largest[window.kept(x.size)] if self.ceil else largest

    def to_relax(self, relax: Any, xs: Tensors, values: tuple[Any, ...], weights: dict[str, Any]) -> Any:
        (x,) = xs
        window = self.window_over(x)
        pool = (relax.op.nn.max_pool1d, relax.op.nn.max_pool2d, relax.op.nn.max_pool3d)[x.rank - 1]
        return pool(
            values[0],
            pool_size=list(window.kernel),
            strides=list(window.stride),
            # The rows that a last, partly filled window needs are added as padding: TVM's own ceil_mode gave wrong shapes.
            padding=[*window.before, *window.after_filled(x.size)],
            dilation=list(window.dilation),
        )

    @classmethod
    def recognise(cls, call: Call, xs: Tensors) -> Self | None:
        if call.target not in ("max_pool1d", "max_pool2d", "max_pool3d"):
            return None
        rank = xs[0].rank
        window = call.window("kernel_size", rank)
        stride = call.window("stride", rank) if call.arguments.get("stride") else window
        return cls(
            window=window,
            stride=None if stride == window else stride,
            pad=call["pads"] if "pads" in call.arguments else call.window("padding", rank),
            dilation=call.window("dilation", rank),
            ceil=call["ceil_mode"],
        )
