"""Scaled exponential linear unit."""

from __future__ import annotations

from typing import Any, ClassVar, Self, final

from cnndsl.ir.call import Call
from cnndsl.ir.op import Op, Tensors, register
from cnndsl.ir.shared.refusals import refuse_indices
from cnndsl.ir.tensor import TensorType

SCALE, ALPHA = 1.0507009873554805, 1.6732632423543772


@final
@register
class SELU(Op):
    """`scale · ELU(x)` with the scale and alpha that keep mean 0 and variance 1 from layer to layer (Klambauer et al., 2017)."""

    word: ClassVar = "SELU"
    category: ClassVar = "activation"
    examples: ClassVar = (("SELU", (4, 5, 6)), ("SELU", (7,)))

    def infer(self, xs: Tensors) -> TensorType:
        (x,) = xs
        refuse_indices(x, self.word)
        return x

    def arithmetic(self, xs: Tensors, y: TensorType) -> int:
        return y.elements

    def to_torch(self, nn: Any, xs: Tensors) -> Any:
        return nn.SELU()

    def to_relax(self, relax: Any, xs: Tensors, values: tuple[Any, ...], weights: dict[str, Any]) -> Any:
        return relax.op.nn.selu(values[0])

    def pointwise(self, tir: Any, value: Any) -> Any:
        zero, one, scale, alpha = (tir.const(number, "float32") for number in (0, 1, SCALE, ALPHA))
        return scale * tir.Select(value > zero, value, alpha * (tir.exp(value) - one))

    @classmethod
    def recognise(cls, call: Call, xs: Tensors) -> Self | None:
        return cls() if call.target == "selu" else None
