"""Gaussian error linear unit."""

from __future__ import annotations

from math import pi, sqrt
from typing import Any, ClassVar, Literal, Self, final

from cnndsl.ir.call import Call
from cnndsl.ir.op import Op, Tensors, register
from cnndsl.ir.shared.refusals import refuse_indices
from cnndsl.ir.tensor import TensorType


@final
@register
class GELU(Op):
    """`x · Φ(x)`, with the normal distribution's Φ (Hendrycks and Gimpel, 2016)."""

    word: ClassVar = "GELU"
    category: ClassVar = "activation"
    examples: ClassVar = (("GELU", (4, 5, 6)), ("GELU(tanh)", (7,)), ("GELU(approximate=none)", (3, 4)))

    approximate: Literal["none", "tanh"] = "none"
    """`tanh` computes `0.5 x (1 + tanh(√(2/π) (x + 0.044715 x³)))` instead, as the first transformers did."""

    def infer(self, xs: Tensors) -> TensorType:
        (x,) = xs
        refuse_indices(x, self.word)
        return x

    def arithmetic(self, xs: Tensors, y: TensorType) -> int:
        return y.elements

    def to_torch(self, nn: Any, xs: Tensors) -> Any:
        return nn.GELU() if self.approximate == "none" else nn.GELU(approximate=self.approximate)

    def to_relax(self, relax: Any, xs: Tensors, values: tuple[Any, ...], weights: dict[str, Any]) -> Any:
        return relax.op.nn.gelu(values[0]) if self.approximate == "none" else relax.op.nn.gelu_tanh(values[0])

    def pointwise(self, tir: Any, value: Any) -> Any:
        half, one = tir.const(0.5, "float32"), tir.const(1, "float32")
        if self.approximate == "none":
            return half * value * (one + tir.erf(value * tir.const(sqrt(0.5), "float32")))
        cubic = value + tir.const(0.044715, "float32") * value * value * value
        return half * value * (one + tir.tanh(tir.const(sqrt(2 / pi), "float32") * cubic))

    @classmethod
    def recognise(cls, call: Call, xs: Tensors) -> Self | None:
        return cls(approximate=call.arguments.get("approximate", "none")) if call.target == "gelu" else None
