"""Power-average pooling."""

from __future__ import annotations

from math import prod
from typing import Annotated, Any, ClassVar, Self, final

from pydantic import Field

from cnndsl.ir.arguments import Axes, Padding
from cnndsl.ir.call import Call
from cnndsl.ir.op import Op, Tensors, register
from cnndsl.ir.shared.torch_words import pads_from_the_last, short
from cnndsl.ir.tensor import TensorType
from cnndsl.ir.window import Window
from cnndsl.ops.avg_pool import AvgPool


@final
@register
class LPPool(Op):
    """The p-norm of each window: `(Σ x^p)^(1/p)` (Sermanet et al., 2012).

    1 is the sum, 2 the length, and large p come close to the maximum. As in PyTorch, `x` itself and
    not its absolute value is raised to the power, so an odd p needs inputs from 0 on; and a last, partly filled window
    counts as if it were full.
    """

    word: ClassVar = "LPPool"
    category: ClassVar = "pooling"
    takes_window: ClassVar = True
    examples: ClassVar = (
        ("LPPool(2)", (3, 8, 9)),
        ("LPPool3x3(2, stride=1)", (3, 7, 7)),
        ("LPPool3x3(2, 2, ceil=true)", (2, 10, 10)),
        ("LPPool3x3(4, 2, pad=1)", (2, 9, 9)),
        ("LPPool4(2)", (2, 16)),
        ("LPPool1x2x2(2)", (2, 3, 6, 6)),
    )

    p: Annotated[float, Field(gt=0)]
    """The power."""
    stride: Axes | None = None
    """Step between windows; the window itself when left out."""
    pad: Padding = 0
    """Zeros added around the input, as in `Conv`."""
    ceil: bool = False
    """Whether a last, partly filled window counts."""
    window: Axes = 2
    """The size of the window, when it is not written in the word."""

    def _average(self) -> AvgPool:
        return AvgPool(stride=self.stride, pad=self.pad, ceil=self.ceil, window=self.window)

    def window_over(self, x: TensorType) -> Window:
        return self._average().window_over(x)

    def infer(self, xs: Tensors) -> TensorType:
        return self._average().infer(xs)

    def arithmetic(self, xs: Tensors, y: TensorType) -> int:
        (x,) = xs
        return y.elements * prod(self.window_over(x).kernel)

    def to_torch(self, nn: Any, xs: Tensors) -> Any:
        (x,) = xs
        window = self.window_over(x)
        options: dict[str, Any] = {}
        if window.stride != window.kernel:
            options["stride"] = short(window.stride)
        if self.ceil:
            options["ceil_mode"] = True
        p = int(self.p) if self.p.is_integer() else self.p
        return (nn.LPPool1d, nn.LPPool2d, nn.LPPool3d)[x.rank - 1](p, short(window.kernel), **options)

    def call_torch(self, torch: Any, module: Any, xs: Tensors, *values: Any) -> Any:
        (x,) = xs
        window = self.window_over(x)
        if not any(window.before + window.after):
            return module(*values)
        amounts = pads_from_the_last(window)
        norms = module(torch.nn.functional.pad(values[0], amounts))
        return norms[window.kept(x.size)] if self.ceil else norms

    def to_relax(self, relax: Any, xs: Tensors, values: tuple[Any, ...], weights: dict[str, Any]) -> Any:
        (x,) = xs
        op, average = relax.op, self._average()
        powers = op.power(values[0], relax.const(self.p, "float32"))
        means = average.to_relax(relax, xs, (powers,), weights)
        sums = op.multiply(means, relax.const(float(prod(self.window_over(x).kernel)), "float32"))
        return op.power(sums, relax.const(1 / self.p, "float32"))

    @classmethod
    def recognise(cls, call: Call, xs: Tensors) -> Self | None:
        if call.target != "lp_pool":
            return None
        rank = xs[0].rank
        window, stride = call.window("kernel_size", rank), call.window("stride", rank)
        return cls(
            p=call["p"],
            window=window,
            stride=None if stride == window else stride,
            pad=call["pads"] if "pads" in call.arguments else 0,
            ceil=call["ceil_mode"],
        )
