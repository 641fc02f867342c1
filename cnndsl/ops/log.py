"""Natural logarithm."""

from __future__ import annotations

from typing import Any, ClassVar, Self, final

from cnndsl.ir.call import Call
from cnndsl.ir.op import Op, Tensors, register
from cnndsl.ir.shared.refusals import refuse_indices
from cnndsl.ir.tensor import TensorType


@final
@register
class Log(Op):
    """`ln(x)`, of numbers above zero: what spectrograms of sound are brought to before a network sees them."""

    word: ClassVar = "Log"
    category: ClassVar = "activation"
    examples: ClassVar = (("Exp → Log", (4, 5, 6)), ("Softplus → Log", (7,)))

    def infer(self, xs: Tensors) -> TensorType:
        (x,) = xs
        refuse_indices(x, self.word)
        return x

    def arithmetic(self, xs: Tensors, y: TensorType) -> int:
        return y.elements

    def call_torch(self, torch: Any, module: Any, xs: Tensors, *values: Any) -> Any:
        return torch.log(values[0])

    def to_relax(self, relax: Any, xs: Tensors, values: tuple[Any, ...], weights: dict[str, Any]) -> Any:
        return relax.op.log(values[0])

    @classmethod
    def recognise(cls, call: Call, xs: Tensors) -> Self | None:
        return cls() if call.target == "log" else None
