"""Mish."""

from __future__ import annotations

from typing import Any, ClassVar, Self, final

from cnndsl.ir.call import Call
from cnndsl.ir.op import Op, Tensors, register
from cnndsl.ir.shared.refusals import refuse_indices
from cnndsl.ir.tensor import TensorType


@final
@register
class Mish(Op):
    """`x · tanh(ln(1 + exp(x)))`: a smooth curve through zero (Misra, 2019)."""

    word: ClassVar = "Mish"
    category: ClassVar = "activation"
    examples: ClassVar = (("Mish", (4, 5, 6)), ("Mish", (7,)))

    def infer(self, xs: Tensors) -> TensorType:
        (x,) = xs
        refuse_indices(x, self.word)
        return x

    def arithmetic(self, xs: Tensors, y: TensorType) -> int:
        return y.elements

    def to_torch(self, nn: Any, xs: Tensors) -> Any:
        return nn.Mish()

    def to_relax(self, relax: Any, xs: Tensors, values: tuple[Any, ...], weights: dict[str, Any]) -> Any:
        op, (x,) = relax.op, values
        return op.multiply(x, op.tanh(op.nn.softplus(x)))

    def pointwise(self, tir: Any, value: Any) -> Any:
        # With e = exp(x), tanh(ln(1 + e)) is (e² + 2e) / (e² + 2e + 2). From x = 20 on it is 1 in float32.
        two = tir.const(2, "float32")
        e = tir.exp(tir.min(value, tir.const(20, "float32")))
        numerator = e * (e + two)
        return value * (numerator / (numerator + two))

    @classmethod
    def recognise(cls, call: Call, xs: Tensors) -> Self | None:
        return cls() if call.target == "mish" else None
