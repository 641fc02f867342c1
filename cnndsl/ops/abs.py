"""Absolute value."""

from __future__ import annotations

from typing import Any, ClassVar, Self, final

from cnndsl.ir.call import Call
from cnndsl.ir.op import Op, Tensors, register
from cnndsl.ir.shared.refusals import refuse_indices
from cnndsl.ir.tensor import TensorType


@final
@register
class Abs(Op):
    """The size of each number, without its sign (Jarrett et al., 2009: rectification)."""

    word: ClassVar = "Abs"
    category: ClassVar = "activation"
    examples: ClassVar = (("Abs", (4, 5, 6)), ("Abs", (7,)))

    def infer(self, xs: Tensors) -> TensorType:
        (x,) = xs
        refuse_indices(x, self.word)
        return x

    def arithmetic(self, xs: Tensors, y: TensorType) -> int:
        return y.elements

    def call_torch(self, torch: Any, module: Any, xs: Tensors, *values: Any) -> Any:
        return torch.abs(values[0])

    def to_relax(self, relax: Any, xs: Tensors, values: tuple[Any, ...], weights: dict[str, Any]) -> Any:
        return relax.op.abs(values[0])

    def pointwise(self, tir: Any, value: Any) -> Any:
        return tir.max(value, -value)

    @classmethod
    def recognise(cls, call: Call, xs: Tensors) -> Self | None:
        return cls() if call.target == "abs" else None
