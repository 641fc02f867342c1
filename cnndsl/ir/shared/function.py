"""Functions of single numbers that have one name everywhere: `cos`, `exp`, `sqrt`."""

from __future__ import annotations

from typing import Any, ClassVar, Self

from cnndsl.ir.call import Call
from cnndsl.ir.op import Op, Tensors
from cnndsl.ir.shared.refusals import refuse_indices
from cnndsl.ir.tensor import TensorType


class Function(Op):
    """Base of `Cos`, `Exp` and their kin: the function's name is the word in small letters, in PyTorch as in Relax."""

    category: ClassVar = "activation"

    def infer(self, xs: Tensors) -> TensorType:
        (x,) = xs
        refuse_indices(x, self.word)
        return x

    def arithmetic(self, xs: Tensors, y: TensorType) -> int:
        return y.elements

    def call_torch(self, torch: Any, module: Any, xs: Tensors, *values: Any) -> Any:
        return getattr(torch, self.word.lower())(values[0])

    def to_relax(self, relax: Any, xs: Tensors, values: tuple[Any, ...], weights: dict[str, Any]) -> Any:
        return getattr(relax.op, self.word.lower())(values[0])

    def pointwise(self, tir: Any, value: Any) -> Any:
        return getattr(tir, self.word.lower())(value)

    @classmethod
    def recognise(cls, call: Call, xs: Tensors) -> Self | None:
        return cls() if call.target == cls.word.lower() else None
