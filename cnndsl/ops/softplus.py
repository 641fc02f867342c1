"""Soft plus."""

from __future__ import annotations

from typing import Any, ClassVar, Self, final

from cnndsl.ir.call import Call
from cnndsl.ir.op import Op, Tensors, register
from cnndsl.ir.shared.refusals import refuse_indices
from cnndsl.ir.tensor import TensorType


@final
@register
class Softplus(Op):
    """`ln(1 + exp(x))`: a smooth `ReLU`, always above zero (Dugas et al., 2001)."""

    word: ClassVar = "Softplus"
    category: ClassVar = "activation"
    never_negative: ClassVar = True
    examples: ClassVar = (("Softplus", (4, 5, 6)), ("Softplus", (7,)))

    def infer(self, xs: Tensors) -> TensorType:
        (x,) = xs
        refuse_indices(x, self.word)
        return x

    def arithmetic(self, xs: Tensors, y: TensorType) -> int:
        return y.elements

    def to_torch(self, nn: Any, xs: Tensors) -> Any:
        return nn.Softplus()

    def to_relax(self, relax: Any, xs: Tensors, values: tuple[Any, ...], weights: dict[str, Any]) -> Any:
        return relax.op.nn.softplus(values[0])

    def pointwise(self, tir: Any, value: Any) -> Any:
        # Computed as max(x, 0) + ln(1 + exp(-|x|)), where nothing overflows and nothing cancels.
        zero = tir.const(0, "float32")
        return tir.max(value, zero) + tir.log1p(tir.exp(-tir.max(value, -value)))

    @classmethod
    def recognise(cls, call: Call, xs: Tensors) -> Self | None:
        plain = (call.arguments.get("beta", 1), call.arguments.get("threshold", 20)) == (1, 20)
        return cls() if call.target == "softplus" and plain else None
