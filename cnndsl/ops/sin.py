"""Sine."""

from __future__ import annotations

from typing import Any, ClassVar, final

from cnndsl.ir.arguments import numeric
from cnndsl.ir.op import Op, Tensors, register
from cnndsl.ir.tensor import TensorType


@final
@register
class Sin(Op):
    """The sine of each number, in radians: the activation of SIREN (Sitzmann et al., 2020)."""

    word: ClassVar = "Sin"
    category: ClassVar = "activation"
    examples: ClassVar = (("Sin", (4, 5, 6)), ("mul{ id | 30 } → Sin", (7,)))

    def infer(self, xs: Tensors) -> TensorType:
        (x,) = xs
        numeric(x, self.word)
        return x

    def arithmetic(self, xs: Tensors, y: TensorType) -> int:
        return y.elements

    def call_torch(self, torch: Any, module: Any, xs: Tensors, *values: Any) -> Any:
        return torch.sin(values[0])

    def to_relax(self, relax: Any, xs: Tensors, values: tuple[Any, ...], weights: dict[str, Any]) -> Any:
        return relax.op.sin(values[0])
