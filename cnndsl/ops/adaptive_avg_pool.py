"""Average pooling to a given size."""

from __future__ import annotations

from typing import Any, ClassVar, Self, final

from cnndsl.ir.arguments import Axes, per_axis
from cnndsl.ir.call import Call, alike
from cnndsl.ir.op import Op, Tensors, register
from cnndsl.ir.shared.refusals import refuse_no_map
from cnndsl.ir.shared.torch_words import short
from cnndsl.ir.tensor import TensorType
from cnndsl.ir.window import Window


@final
@register
class AdaptiveAvgPool(Op):
    """Average to a given size, whatever comes in.

    Output position `o` of `m` averages the inputs from `floor(o·n/m)` to `ceil((o+1)·n/m)`, as PyTorch does.
    """

    word: ClassVar = "AdaptiveAvgPool"
    category: ClassVar = "pooling"
    examples: ClassVar = (
        ("AdaptiveAvgPool(1)", (3, 7, 7)),
        ("AdaptiveAvgPool(7)", (2, 7, 7)),
        ("AdaptiveAvgPool((2, 3))", (2, 8, 7)),
        ("AdaptiveAvgPool(6)", (2, 13, 13)),
        ("AdaptiveAvgPool(4)", (2, 10)),
        ("AdaptiveAvgPool(2)", (2, 4, 5, 6)),
    )

    size: Axes
    """The size to reach: one number for every axis, or one for each."""

    def _target(self, x: TensorType) -> tuple[int, ...]:
        refuse_no_map(x, self.word)
        return per_axis(self.size, x.rank, "size")

    def infer(self, xs: Tensors) -> TensorType:
        (x,) = xs
        return x.resized(self._target(x))

    def window_over(self, x: TensorType) -> Window | None:
        target = self._target(x)
        if target == x.size or any(n % m for n, m in zip(x.size, target, strict=True)):
            return None
        kernel = tuple(n // m for n, m in zip(x.size, target, strict=True))
        zeros, ones = (0,) * x.rank, (1,) * x.rank
        return Window(kernel=kernel, stride=kernel, before=zeros, after=zeros, dilation=ones)

    def sees_all(self, x: TensorType) -> bool:
        """Where one position is left, and where the windows have several sizes, for which there is no one window."""
        target = self._target(x)
        return target != x.size and (set(target) == {1} or self.window_over(x) is None)

    def arithmetic(self, xs: Tensors, y: TensorType) -> int:
        (x,) = xs
        return x.elements

    def to_torch(self, nn: Any, xs: Tensors) -> Any:
        (x,) = xs
        module = (nn.AdaptiveAvgPool1d, nn.AdaptiveAvgPool2d, nn.AdaptiveAvgPool3d)[x.rank - 1]
        return module(short(self._target(x)))

    def to_relax(self, relax: Any, xs: Tensors, values: tuple[Any, ...], weights: dict[str, Any]) -> Any:
        (x,) = xs
        nn = relax.op.nn
        pool = (nn.adaptive_avg_pool1d, nn.adaptive_avg_pool2d, nn.adaptive_avg_pool3d)[x.rank - 1]
        return pool(values[0], output_size=list(self._target(x)))

    @classmethod
    def recognise(cls, call: Call, xs: Tensors) -> Self | None:
        if call.target not in ("adaptive_avg_pool1d", "adaptive_avg_pool2d", "adaptive_avg_pool3d"):
            return None
        size = alike(call.shape[1:], xs[0].rank)
        return None if size == 1 else cls(size=size)
