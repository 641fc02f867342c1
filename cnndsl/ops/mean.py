"""Mean along axes."""

from __future__ import annotations

from typing import Any, ClassVar, Self, final

from cnndsl.ir.axes import ReducedAxes, Reduction, behind_channels, reduction
from cnndsl.ir.call import Call
from cnndsl.ir.op import Op, Tensors, register
from cnndsl.ir.reach import Reach
from cnndsl.ir.shared.refusals import refuse_indices
from cnndsl.ir.tensor import TensorType


@final
@register
class Mean(Op):
    """Average along one axis or several: `Mean(1)`, `Mean(1, 2, 3)`.

    Axes are counted from 0 without the batch. They go away, unless `keep` leaves them at size 1. A tensor always has
    channels: `Mean(channels)` leaves one.
    """

    word: ClassVar = "Mean"
    category: ClassVar = "pooling"
    variadic: ClassVar = True
    examples: ClassVar = (
        ("Mean(1, 2)", (4, 5, 6)),
        ("Mean(1)", (2, 3, 4, 5)),
        ("Mean(2, keep=true)", (3, 5, 6)),
        ("Mean(channels)", (4, 5, 6)),
        ("Mean(channels, 1, 2)", (4, 5, 6)),
        ("ToTokens → Mean(0)", (3, 4, 5)),
    )

    axis: ReducedAxes
    """The axes to average along: numbers from 0 without the batch, or `channels`."""
    keep: bool = False
    """Whether the averaged axes stay, at size 1."""

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
        value = values[0].mean(axes.staying, keepdim=True) if axes.staying else values[0]
        return value.mean(axes.going) if axes.going else value

    def to_relax(self, relax: Any, xs: Tensors, values: tuple[Any, ...], weights: dict[str, Any]) -> Any:
        (x,) = xs
        axes = self._reduction(x)
        means = relax.op.mean(values[0], axis=[n + 1 for n in axes.axes], keepdims=True)
        return relax.op.reshape(means, (values[0].ty.shape[0], *axes.type.shape))

    @classmethod
    def recognise(cls, call: Call, xs: Tensors) -> Self | None:
        if call.target != "mean":
            return None
        if call["axes"] == behind_channels(xs[0]) and call["keepdim"] == (xs[0].kind != "tokens"):
            return None  # The mean of all positions is `GlobalAvgPool`.
        if not call["keepdim"] and xs[0].channel_axis in call["axes"]:
            return None
        return cls(axis=call["axes"], keep=call["keepdim"])
