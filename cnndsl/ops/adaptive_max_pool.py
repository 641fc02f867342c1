"""Max pooling to a given size."""

from __future__ import annotations

from typing import Any, ClassVar, Self, final

from cnndsl.ir.arguments import Axes
from cnndsl.ir.call import Call, alike
from cnndsl.ir.op import Op, Tensors, register
from cnndsl.ir.shared.torch_words import short
from cnndsl.ir.tensor import TensorType
from cnndsl.ir.window import Window
from cnndsl.ops.adaptive_avg_pool import AdaptiveAvgPool


@final
@register
class AdaptiveMaxPool(Op):
    """Keep the largest values on the way to a given size, whatever comes in.

    Output position `o` of `m` takes the largest of the inputs from `floor(o·n/m)` to `ceil((o+1)·n/m)`, as PyTorch does.
    """

    word: ClassVar = "AdaptiveMaxPool"
    category: ClassVar = "pooling"
    examples: ClassVar = (
        ("AdaptiveMaxPool(1)", (3, 4, 4)),
        ("AdaptiveMaxPool(7)", (2, 7, 7)),
        ("AdaptiveMaxPool((2, 3))", (2, 8, 7)),
        ("AdaptiveMaxPool(3)", (2, 6, 6)),
        ("AdaptiveMaxPool(6)", (2, 13, 13)),
        ("AdaptiveMaxPool(4)", (2, 10)),
        ("AdaptiveMaxPool(2)", (2, 4, 5, 6)),
    )

    size: Axes
    """The size to reach: one number for every axis, or one for each."""

    def _average(self) -> AdaptiveAvgPool:
        return AdaptiveAvgPool(size=self.size)

    def infer(self, xs: Tensors) -> TensorType:
        return self._average().infer(xs)

    def window_over(self, x: TensorType) -> Window | None:
        return self._average().window_over(x)

    def sees_all(self, x: TensorType) -> bool:
        """Where one position is left, and where the windows have several sizes, for which there is no one window."""
        return self._average().sees_all(x)

    def arithmetic(self, xs: Tensors, y: TensorType) -> int:
        (x,) = xs
        return x.elements

    def to_torch(self, nn: Any, xs: Tensors) -> Any:
        (x,) = xs
        module = (nn.AdaptiveMaxPool1d, nn.AdaptiveMaxPool2d, nn.AdaptiveMaxPool3d)[x.rank - 1]
        return module(short(self.infer(xs).size))

    def to_relax(self, relax: Any, xs: Tensors, values: tuple[Any, ...], weights: dict[str, Any]) -> Any:
        """Along one axis after the other, the inputs of each output position are gathered side by side, then the largest
        of them is taken."""
        (x,), (value,) = xs, values
        shape = [value.ty.shape[0], *x.shape]
        for axis, (n, m) in enumerate(zip(x.size, self.infer(xs).size, strict=True), start=2):
            starts, ends = [o * n // m for o in range(m)], [-(-(o + 1) * n // m) for o in range(m)]
            most = max(end - start for start, end in zip(starts, ends, strict=True))
            # A window shorter than the longest one repeats its last input, which changes no maximum.
            indices = [min(s + i, e - 1) for s, e in zip(starts, ends, strict=True) for i in range(most)]
            gathered = relax.op.take(value, relax.const(indices, "int64"), axis=axis, mode="clip")
            apart = relax.op.reshape(gathered, (*shape[:axis], m, most, *shape[axis + 1 :]))
            value = relax.op.max(apart, axis=[axis + 1])
            shape[axis] = m
        return value

    @classmethod
    def recognise(cls, call: Call, xs: Tensors) -> Self | None:
        if call.target not in ("adaptive_max_pool1d", "adaptive_max_pool2d", "adaptive_max_pool3d"):
            return None
        size = alike(call.shape[1:], xs[0].rank)
        return None if size == 1 else cls(size=size)
