"""Logistic function."""

from __future__ import annotations

from typing import Any, ClassVar, Self, final

from cnndsl.ir.call import Call
from cnndsl.ir.op import Op, Tensors, register
from cnndsl.ir.shared.refusals import refuse_indices
from cnndsl.ir.tensor import TensorType


@final
@register
class Sigmoid(Op):
    """`1 / (1 + exp(-x))`: squeezes any number between 0 and 1, as a gate needs."""

    word: ClassVar = "Sigmoid"
    category: ClassVar = "activation"
    never_negative: ClassVar = True
    examples: ClassVar = (("Sigmoid", (4, 5, 6)), ("Sigmoid", (7,)))

    def infer(self, xs: Tensors) -> TensorType:
        (x,) = xs
        refuse_indices(x, self.word)
        return x

    def arithmetic(self, xs: Tensors, y: TensorType) -> int:
        return y.elements

    def to_torch(self, nn: Any, xs: Tensors) -> Any:
        return nn.Sigmoid()

    def to_relax(self, relax: Any, xs: Tensors, values: tuple[Any, ...], weights: dict[str, Any]) -> Any:
        return relax.op.sigmoid(values[0])

    def pointwise(self, tir: Any, value: Any) -> Any:
        return tir.sigmoid(value)

    @classmethod
    def recognise(cls, call: Call, xs: Tensors) -> Self | None:
        return cls() if call.target == "sigmoid" else None
