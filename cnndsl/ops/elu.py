"""Exponential linear unit."""

from __future__ import annotations

from typing import Any, ClassVar, Self, final

from cnndsl.ir.call import Call
from cnndsl.ir.op import Op, Tensors, register
from cnndsl.ir.shared.refusals import refuse_indices
from cnndsl.ir.tensor import TensorType


@final
@register
class ELU(Op):
    """Unchanged above zero, `alpha · (exp(x) - 1)` below it (Clevert et al., 2015)."""

    word: ClassVar = "ELU"
    category: ClassVar = "activation"
    examples: ClassVar = (("ELU", (4, 5, 6)), ("ELU(0.5)", (7,)))

    alpha: float = 1.0
    """The output far below zero is close to `-alpha`."""

    def infer(self, xs: Tensors) -> TensorType:
        (x,) = xs
        refuse_indices(x, self.word)
        return x

    def arithmetic(self, xs: Tensors, y: TensorType) -> int:
        return y.elements

    def to_torch(self, nn: Any, xs: Tensors) -> Any:
        return nn.ELU() if self.alpha == 1 else nn.ELU(self.alpha)

    def to_relax(self, relax: Any, xs: Tensors, values: tuple[Any, ...], weights: dict[str, Any]) -> Any:
        op, (x,) = relax.op, values
        below = op.subtract(op.exp(op.minimum(x, relax.const(0, "float32"))), relax.const(1, "float32"))
        return op.add(op.nn.relu(x), op.multiply(below, relax.const(self.alpha, "float32")))

    def pointwise(self, tir: Any, value: Any) -> Any:
        zero, one, alpha = (tir.const(number, "float32") for number in (0, 1, self.alpha))
        return tir.Select(value > zero, value, alpha * (tir.exp(value) - one))

    @classmethod
    def recognise(cls, call: Call, xs: Tensors) -> Self | None:
        if call.target != "elu" or (call.arguments.get("scale", 1), call.arguments.get("input_scale", 1)) != (1, 1):
            return None
        return cls(alpha=float(call.arguments.get("alpha", 1)))
