"""Error function."""

from __future__ import annotations

from typing import Any, ClassVar, final

from cnndsl.ir.arguments import numeric
from cnndsl.ir.op import Op, Tensors, register
from cnndsl.ir.tensor import TensorType


@final
@register
class Erf(Op):
    """The error function of each number: `GELU` is `0.5 x (1 + erf(x / √2))`."""

    word: ClassVar = "Erf"
    category: ClassVar = "activation"
    examples: ClassVar = (("Erf", (4, 5, 6)), ("Erf", (7,)))

    def infer(self, xs: Tensors) -> TensorType:
        (x,) = xs
        numeric(x, self.word)
        return x

    def arithmetic(self, xs: Tensors, y: TensorType) -> int:
        return y.elements

    def call_torch(self, torch: Any, module: Any, xs: Tensors, *values: Any) -> Any:
        return torch.erf(values[0])

    def to_relax(self, relax: Any, xs: Tensors, values: tuple[Any, ...], weights: dict[str, Any]) -> Any:
        return relax.op.erf(values[0])

    def pointwise(self, tir: Any, value: Any) -> Any:
        return tir.erf(value)
