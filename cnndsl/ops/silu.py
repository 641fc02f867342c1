"""Sigmoid-weighted linear unit."""

from __future__ import annotations

from typing import Any, ClassVar, Self, final

from cnndsl.ir.call import Call
from cnndsl.ir.op import Op, Tensors, register
from cnndsl.ir.shared.refusals import refuse_indices
from cnndsl.ir.tensor import TensorType


@final
@register
class SiLU(Op):
    """`x · sigmoid(x)`, also called swish (Elfwing et al., 2017; Ramachandran et al., 2017)."""

    word: ClassVar = "SiLU"
    category: ClassVar = "activation"
    examples: ClassVar = (("SiLU", (4, 5, 6)), ("SiLU", (7,)))

    def infer(self, xs: Tensors) -> TensorType:
        (x,) = xs
        refuse_indices(x, self.word)
        return x

    def arithmetic(self, xs: Tensors, y: TensorType) -> int:
        return y.elements

    def to_torch(self, nn: Any, xs: Tensors) -> Any:
        return nn.SiLU()

    def to_relax(self, relax: Any, xs: Tensors, values: tuple[Any, ...], weights: dict[str, Any]) -> Any:
        return relax.op.nn.silu(values[0])

    def pointwise(self, tir: Any, value: Any) -> Any:
        return value * tir.sigmoid(value)

    @classmethod
    def recognise(cls, call: Call, xs: Tensors) -> Self | None:
        return cls() if call.target == "silu" else None
