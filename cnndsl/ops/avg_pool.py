"""Average pooling."""

from __future__ import annotations

from dataclasses import replace
from math import prod
from typing import Any, ClassVar, Self, final

from cnndsl.ir.arguments import Axes, Padding, per_axis
from cnndsl.ir.call import Call
from cnndsl.ir.op import Op, Tensors, register
from cnndsl.ir.shared.refusals import refuse_no_map
from cnndsl.ir.shared.torch_words import pads_from_the_last, short
from cnndsl.ir.tensor import TensorType
from cnndsl.ir.window import Window, make_window, products


@final
@register
class AvgPool(Op):
    """Average each window. `AvgPool` halves the map."""

    word: ClassVar = "AvgPool"
    category: ClassVar = "pooling"
    takes_window: ClassVar = True
    examples: ClassVar = (
        ("AvgPool", (3, 8, 9)),
        ("AvgPool3x3(1, 1)", (3, 7, 7)),
        ("AvgPool3x3(1, 1, count_pad=false)", (3, 7, 7)),
        ("AvgPool3x3(2, ceil=true)", (2, 10, 10)),
        ("AvgPool3x3(2, 1, ceil=true)", (2, 10, 10)),
        ("AvgPool4", (2, 16)),
        ("AvgPool1x2x2", (2, 3, 6, 6)),
    )

    stride: Axes | None = None
    """Step between windows; the window itself when left out."""
    pad: Padding = 0
    """Zeros added around the input, as in `Conv`."""
    ceil: bool = False
    """Whether a last, partly filled window counts."""
    count_pad: bool = True
    """Whether the added zeros count in the average."""
    window: Axes = 2
    """The size of the window, when it is not written in the word."""

    def window_over(self, x: TensorType) -> Window:
        refuse_no_map(x, self.word)
        kernel = per_axis(self.window, x.rank, "window")
        stride = kernel if self.stride is None else per_axis(self.stride, x.rank, "stride")
        window = make_window(x.size, kernel, stride, self.pad, (1,) * x.rank, ceil=self.ceil)
        window.refuse_windows_of_padding()
        return window

    def infer(self, xs: Tensors) -> TensorType:
        (x,) = xs
        window = self.window_over(x)
        if x.rank == 3:
            # Over three axes PyTorch refuses a window larger than its input, also with `ceil`.
            replace(window, ceil=False).output_size(x.size)
        return x.resized(window.output_size(x.size))

    def arithmetic(self, xs: Tensors, y: TensorType) -> int:
        (x,) = xs
        return y.elements * prod(self.window_over(x).kernel)

    def _pads_apart(self, x: TensorType, window: Window) -> bool:
        """Whether the padding must be added before torch's pooling, which takes the same padding on both sides, at most half
        the window; and over three axes no window larger than the input without its padding."""
        if x.rank == 3 and any(k > n for k, n in zip(window.kernel, x.size, strict=True)):
            return True
        return not window.symmetric or any(2 * p > k for p, k in zip(window.before, window.kernel, strict=True))

    def to_torch(self, nn: Any, xs: Tensors) -> Any:
        (x,) = xs
        window = self.window_over(x)
        options: dict[str, Any] = {}
        if window.stride != window.kernel:
            options["stride"] = short(window.stride)
        if any(window.before) and not self._pads_apart(x, window):
            options["padding"] = short(window.before)
        if self.ceil:
            options["ceil_mode"] = True
        if not self.count_pad and not self._pads_apart(x, window):
            options["count_include_pad"] = False
        module = (nn.AvgPool1d, nn.AvgPool2d, nn.AvgPool3d)[x.rank - 1]
        return module(short(window.kernel), **options)

    def call_torch(self, torch: Any, module: Any, xs: Tensors, *values: Any) -> Any:
        (x,) = xs
        window = self.window_over(x)
        if not self._pads_apart(x, window):
            return module(*values)
        amounts = pads_from_the_last(window)
        averages = module(torch.nn.functional.pad(values[0], amounts))
        if not self.count_pad:
            # The average of ones is the share of each window that lies inside the input.
            averages = averages / module(torch.nn.functional.pad(torch.ones_like(values[0]), amounts))
        return averages[window.kept(x.size)] if self.ceil else averages

    def to_relax(self, relax: Any, xs: Tensors, values: tuple[Any, ...], weights: dict[str, Any]) -> Any:
        (x,) = xs
        window = self.window_over(x)
        filled = window.after_filled(x.size)
        pool = (relax.op.nn.avg_pool1d, relax.op.nn.avg_pool2d, relax.op.nn.avg_pool3d)[x.rank - 1]
        sums = pool(
            values[0],
            pool_size=list(window.kernel),
            strides=list(window.stride),
            padding=[*window.before, *filled],
            count_include_pad=True,
        )
        if self.count_pad and filled == window.after:
            return sums
        return relax.op.multiply(sums, relax.const(self._corrections(x, window), "float32"))

    def _corrections(self, x: TensorType, window: Window) -> Any:
        """The window's size divided by the number of its positions that count, for each output position: nested lists that
        broadcast over batch and channels.

        Positions beyond the declared padding, which only a partly filled last window has, never count.
        """
        shares: list[list[float]] = []
        y = window.output_size(x.size)
        for n, out, k, s, b, a in zip(
            x.size, y, window.kernel, window.stride, window.before, window.after, strict=True
        ):
            low, high = (-b, n + a) if self.count_pad else (0, n)
            starts = [o * s - b for o in range(out)]
            shares.append([k / (min(start + k, high) - max(start, low)) for start in starts])
        return [[products(shares)]]

    @classmethod
    def recognise(cls, call: Call, xs: Tensors) -> Self | None:
        if call.target not in ("avg_pool1d", "avg_pool2d", "avg_pool3d"):
            return None
        rank = xs[0].rank
        if call.arguments.get("divisor_override"):
            return None
        window = call.window("kernel_size", rank)
        stride = call.window("stride", rank) if call.arguments.get("stride") else window
        return cls(
            window=window,
            stride=None if stride == window else stride,
            pad=call["pads"] if "pads" in call.arguments else call.window("padding", rank),
            ceil=call["ceil_mode"],
            count_pad=call.arguments.get("count_include_pad", True)
            or ("pads" not in call.arguments and call.window("padding", rank) == 0),
        )
