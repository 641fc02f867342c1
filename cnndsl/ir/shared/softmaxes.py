"""Probabilities along an axis, and their logarithms."""

from __future__ import annotations

from typing import Any, ClassVar, Self

from cnndsl.ir.axes import Axis, axis_index, axis_name, reach_along
from cnndsl.ir.call import Call
from cnndsl.ir.op import Op, Tensors
from cnndsl.ir.reach import Reach
from cnndsl.ir.shared.refusals import refuse_indices
from cnndsl.ir.tensor import TensorType


class AnySoftmax(Op):
    """Base of `Softmax` and `LogSoftmax`."""

    category: ClassVar = "activation"
    any_layout: ClassVar = True
    name: ClassVar[str]
    """The function's name in Relax, and in what is imported: `log_softmax`."""

    axis: Axis = "channels"
    """The axis along which they add up to one: `channels`, or a number from 0 without the batch."""

    def infer(self, xs: Tensors) -> TensorType:
        (x,) = xs
        refuse_indices(x, self.word)
        axis_index(self.axis, x)
        return x

    @property
    def is_plain(self) -> bool:
        return self.axis == "channels"

    def reach(self, xs: Tensors, y: TensorType, index: int) -> tuple[Reach, ...] | None:
        return reach_along(self.axis, xs[0])

    def arithmetic(self, xs: Tensors, y: TensorType) -> int:
        return y.elements

    def to_torch(self, nn: Any, xs: Tensors) -> Any:
        (x,) = xs
        return getattr(nn, self.word)(dim=axis_index(self.axis, x) + 1)

    def to_relax(self, relax: Any, xs: Tensors, values: tuple[Any, ...], weights: dict[str, Any]) -> Any:
        (x,) = xs
        return getattr(relax.op.nn, self.name)(values[0], axis=axis_index(self.axis, x) + 1)

    @classmethod
    def recognise(cls, call: Call, xs: Tensors) -> Self | None:
        if call.target != cls.name or len(call["axes"]) != 1:
            return None
        return cls(axis=axis_name(call["axes"][0], xs[0]))
