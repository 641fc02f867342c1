"""Rectified linear unit."""

from __future__ import annotations

from typing import Any, ClassVar, Self, final

from cnndsl.ir.call import Call
from cnndsl.ir.op import Op, Tensors, register
from cnndsl.ir.shared.refusals import refuse_indices
from cnndsl.ir.tensor import TensorType


@final
@register
class ReLU(Op):
    """Zero below zero, unchanged above (Nair and Hinton, 2010)."""

    word: ClassVar = "ReLU"
    category: ClassVar = "activation"
    never_negative: ClassVar = True
    rectifies: ClassVar = True
    examples: ClassVar = (("ReLU", (4, 5, 6)), ("ReLU", (7,)))

    def infer(self, xs: Tensors) -> TensorType:
        (x,) = xs
        refuse_indices(x, self.word)
        return x

    def arithmetic(self, xs: Tensors, y: TensorType) -> int:
        return y.elements

    def to_torch(self, nn: Any, xs: Tensors) -> Any:
        return nn.ReLU()

    def to_relax(self, relax: Any, xs: Tensors, values: tuple[Any, ...], weights: dict[str, Any]) -> Any:
        return relax.op.nn.relu(values[0])

    def pointwise(self, tir: Any, value: Any) -> Any:
        return tir.max(value, tir.const(0, "float32"))

    @classmethod
    def recognise(cls, call: Call, xs: Tensors) -> Self | None:
        return cls() if call.target == "relu" else None
