"""Hyperbolic tangent."""

from __future__ import annotations

from typing import Any, ClassVar, Self, final

from cnndsl.ir.call import Call
from cnndsl.ir.op import Op, Tensors, register
from cnndsl.ir.shared.refusals import refuse_indices
from cnndsl.ir.tensor import TensorType


@final
@register
class Tanh(Op):
    """Squeezes any number between -1 and 1: the activation of the first convolutional networks."""

    word: ClassVar = "Tanh"
    category: ClassVar = "activation"
    examples: ClassVar = (("Tanh", (4, 5, 6)), ("Tanh", (7,)))

    def infer(self, xs: Tensors) -> TensorType:
        (x,) = xs
        refuse_indices(x, self.word)
        return x

    def arithmetic(self, xs: Tensors, y: TensorType) -> int:
        return y.elements

    def to_torch(self, nn: Any, xs: Tensors) -> Any:
        return nn.Tanh()

    def to_relax(self, relax: Any, xs: Tensors, values: tuple[Any, ...], weights: dict[str, Any]) -> Any:
        return relax.op.tanh(values[0])

    def pointwise(self, tir: Any, value: Any) -> Any:
        return tir.tanh(value)

    @classmethod
    def recognise(cls, call: Call, xs: Tensors) -> Self | None:
        return cls() if call.target == "tanh" else None
