"""What becomes of several positions along axes of one's choice: their mean, their sum."""

from __future__ import annotations

from typing import Any, ClassVar, Self

from cnndsl.ir.axes import ReducedAxes, Reduction, reduction
from cnndsl.ir.call import Call
from cnndsl.ir.op import Op, Tensors
from cnndsl.ir.reach import Reach
from cnndsl.ir.shared.refusals import refuse_indices
from cnndsl.ir.tensor import TensorType


class Reducing(Op):
    """Base of `Mean` and `Sum`: the reduction's name is the word in small letters, in PyTorch as in Relax."""

    category: ClassVar = "pooling"
    variadic: ClassVar = True

    axis: ReducedAxes
    """The axes to reduce: numbers from 0 without the batch, or `channels`."""
    keep: bool = False
    """Whether the reduced axes stay, at size 1."""

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
        axes, name = self._reduction(x), self.word.lower()
        value = getattr(values[0], name)(axes.staying, keepdim=True) if axes.staying else values[0]
        return getattr(value, name)(axes.going) if axes.going else value

    def to_relax(self, relax: Any, xs: Tensors, values: tuple[Any, ...], weights: dict[str, Any]) -> Any:
        (x,) = xs
        axes = self._reduction(x)
        reduced = getattr(relax.op, self.word.lower())(values[0], axis=[n + 1 for n in axes.axes], keepdims=True)
        return relax.op.reshape(reduced, (values[0].ty.shape[0], *axes.type.shape))

    @classmethod
    def recognise(cls, call: Call, xs: Tensors) -> Self | None:
        if call.target != cls.word.lower() or (not call["keepdim"] and xs[0].channel_axis in call["axes"]):
            return None
        return cls(axis=call["axes"], keep=call["keepdim"])
