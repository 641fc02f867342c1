"""Rectified linear unit with a slope below zero."""

from __future__ import annotations

from typing import Any, ClassVar, Self, final

from cnndsl.ir.call import Call
from cnndsl.ir.op import Op, Tensors, register
from cnndsl.ir.shared.refusals import refuse_indices
from cnndsl.ir.tensor import TensorType


@final
@register
class LeakyReLU(Op):
    """Unchanged above zero, a small multiple below it (Maas et al., 2013)."""

    word: ClassVar = "LeakyReLU"
    category: ClassVar = "activation"
    examples: ClassVar = (("LeakyReLU", (4, 5, 6)), ("LeakyReLU(0.1)", (7,)), ("LeakyReLU(2)", (3, 4)))

    slope: float = 0.01
    """The factor below zero."""

    def infer(self, xs: Tensors) -> TensorType:
        (x,) = xs
        refuse_indices(x, self.word)
        return x

    def arithmetic(self, xs: Tensors, y: TensorType) -> int:
        return y.elements

    def to_torch(self, nn: Any, xs: Tensors) -> Any:
        return nn.LeakyReLU() if self.slope == 0.01 else nn.LeakyReLU(self.slope)

    def to_relax(self, relax: Any, xs: Tensors, values: tuple[Any, ...], weights: dict[str, Any]) -> Any:
        return relax.op.nn.leakyrelu(values[0], self.slope)

    def pointwise(self, tir: Any, value: Any) -> Any:
        return tir.Select(value > tir.const(0, "float32"), value, value * tir.const(self.slope, "float32"))

    @classmethod
    def recognise(cls, call: Call, xs: Tensors) -> Self | None:
        return cls(slope=float(call.arguments.get("negative_slope", 0.01))) if call.target == "leaky_relu" else None
