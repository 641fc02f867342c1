"""Rectified linear unit, capped."""

from __future__ import annotations

from typing import Any, ClassVar, Self, final

from cnndsl.ir.call import Call
from cnndsl.ir.op import Op, Tensors, register
from cnndsl.ir.shared.refusals import refuse_indices
from cnndsl.ir.tensor import TensorType


@final
@register
class ReLU6(Op):
    """Zero below zero, six above six: the mobile nets' activation (Krizhevsky, 2010)."""

    word: ClassVar = "ReLU6"
    category: ClassVar = "activation"
    never_negative: ClassVar = True
    examples: ClassVar = (("ReLU6", (4, 5, 6)), ("ReLU6", (7,)))

    def infer(self, xs: Tensors) -> TensorType:
        (x,) = xs
        refuse_indices(x, self.word)
        return x

    def arithmetic(self, xs: Tensors, y: TensorType) -> int:
        return y.elements

    def to_torch(self, nn: Any, xs: Tensors) -> Any:
        return nn.ReLU6()

    def to_relax(self, relax: Any, xs: Tensors, values: tuple[Any, ...], weights: dict[str, Any]) -> Any:
        return relax.op.clip(values[0], 0, 6)

    def pointwise(self, tir: Any, value: Any) -> Any:
        return tir.min(tir.max(value, tir.const(0, "float32")), tir.const(6, "float32"))

    @classmethod
    def recognise(cls, call: Call, xs: Tensors) -> Self | None:
        clamped = call.target == "clamp" and (call.arguments.get("min"), call.arguments.get("max")) == (0, 6)
        return cls() if clamped or call.target == "relu6" else None
