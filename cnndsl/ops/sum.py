"""Sum along axes."""

from __future__ import annotations

from typing import Any, ClassVar, Self, final

from cnndsl.ir.axes import ReducedAxes, Reduction, reduction
from cnndsl.ir.call import Call
from cnndsl.ir.op import Op, Tensors, register
from cnndsl.ir.reach import Reach
from cnndsl.ir.shared.refusals import refuse_indices
from cnndsl.ir.tensor import TensorType


@final
@register
class Sum(Op):
    """Add up along one axis or several: `Sum(1)`, `Sum(1, 2, 3)`.

    Axes are named, go away and stay as in `Mean`.
    """

    word: ClassVar = "Sum"
    category: ClassVar = "pooling"
    variadic: ClassVar = True
    examples: ClassVar = (
        ("Sum(1, 2)", (4, 5, 6)),
        ("Sum(1)", (2, 3, 4, 5)),
        ("Sum(2, keep=true)", (3, 5, 6)),
        ("Sum(channels)", (4, 5, 6)),
        ("Sum(channels, 1, 2)", (4, 5, 6)),
        ("ToTokens → Sum(0)", (3, 4, 5)),
    )

    axis: ReducedAxes
    """The axes to add up along: numbers from 0 without the batch, or `channels`."""
    keep: bool = False
    """Whether the summed axes stay, at size 1."""

    def _reduction(self, x: TensorType) -> Reduction:
        return reduction(x, self.word, self.axis, self.keep)

    def infer(self, xs: Tensors) -> TensorType:
        (x,) = xs
        refuse_indices(x, self.word)
        return self._reduction(x).type

    def sees_all(self, x: TensorType) -> bool:
        return self._reduction(x).sees_all

    def reach(self, xs: Tensors, y: TensorType, index: int) -> tuple[Reach, ...] | None:
        (x,) = xs
        return self._reduction(x).reach

    def arithmetic(self, xs: Tensors, y: TensorType) -> int:
        (x,) = xs
        return x.elements

    def call_torch(self, torch: Any, module: Any, xs: Tensors, *values: Any) -> Any:
        (x,) = xs
        axes = self._reduction(x)
        value = values[0].sum(axes.staying, keepdim=True) if axes.staying else values[0]
        return value.sum(axes.going) if axes.going else value

    def to_relax(self, relax: Any, xs: Tensors, values: tuple[Any, ...], weights: dict[str, Any]) -> Any:
        (x,) = xs
        axes = self._reduction(x)
        sums = relax.op.sum(values[0], axis=[n + 1 for n in axes.axes], keepdims=True)
        return relax.op.reshape(sums, (values[0].ty.shape[0], *axes.type.shape))

    @classmethod
    def recognise(cls, call: Call, xs: Tensors) -> Self | None:
        if call.target != "sum" or (not call["keepdim"] and xs[0].channel_axis in call["axes"]):
            return None
        return cls(axis=call["axes"], keep=call["keepdim"])
