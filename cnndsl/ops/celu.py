"""Continuously differentiable exponential linear unit."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Self, final

from pydantic import Field

from cnndsl.ir.call import Call
from cnndsl.ir.op import Op, Tensors, register
from cnndsl.ir.shared.refusals import refuse_indices
from cnndsl.ir.tensor import TensorType


@final
@register
class CELU(Op):
    """Unchanged above zero, `alpha · (exp(x / alpha) - 1)` below it: smooth for every alpha (Barron, 2017)."""

    word: ClassVar = "CELU"
    category: ClassVar = "activation"
    examples: ClassVar = (("CELU", (4, 5, 6)), ("CELU(0.5)", (7,)))

    alpha: Annotated[float, Field(gt=0)] = 1.0
    """The output far below zero is close to `-alpha`."""

    def infer(self, xs: Tensors) -> TensorType:
        (x,) = xs
        refuse_indices(x, self.word)
        return x

    def arithmetic(self, xs: Tensors, y: TensorType) -> int:
        return y.elements

    def to_torch(self, nn: Any, xs: Tensors) -> Any:
        return nn.CELU() if self.alpha == 1 else nn.CELU(self.alpha)

    def to_relax(self, relax: Any, xs: Tensors, values: tuple[Any, ...], weights: dict[str, Any]) -> Any:
        op, (x,), alpha = relax.op, values, relax.const(self.alpha, "float32")
        inner = op.divide(op.minimum(x, relax.const(0, "float32")), alpha)
        below = op.subtract(op.exp(inner), relax.const(1, "float32"))
        return op.add(op.nn.relu(x), op.multiply(below, alpha))

    def pointwise(self, tir: Any, value: Any) -> Any:
        zero, one, alpha = (tir.const(number, "float32") for number in (0, 1, self.alpha))
        return tir.Select(value > zero, value, alpha * (tir.exp(value / alpha) - one))

    @classmethod
    def recognise(cls, call: Call, xs: Tensors) -> Self | None:
        return cls(alpha=float(call["alpha"])) if call.target == "celu" else None
