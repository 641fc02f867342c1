"""Quotient of branches."""

from __future__ import annotations

from typing import Any, ClassVar, Self, final

from cnndsl.diagnostics.errors import Refusal
from cnndsl.ir.call import Call
from cnndsl.ir.op import Tensors, register
from cnndsl.ir.shared.elementwise import Elementwise
from cnndsl.ir.tensor import TensorType


@final
@register
class Div(Elementwise):
    """Divide the first branch by the others, element by element. Axes of size 1 stretch."""

    word: ClassVar = "div"
    symbol: ClassVar = "÷"
    verb: ClassVar = "divide"
    examples: ClassVar = (
        ("div{ id | Sigmoid }", (4, 5, 6)),
        ("div{ id | Sigmoid → Sum(channels, keep=true) }", (4, 5, 6)),
        ("div{ 1 | Sigmoid }", (7,)),
    )

    def infer(self, xs: Tensors) -> TensorType:
        if 0 in self.numbers[1:]:
            raise Refusal(
                "division-by-zero",
                "a branch is divided by the number 0",
                help="divide by another number",
            )
        return super().infer(xs)

    def in_torch(self, torch: Any, a: Any, b: Any) -> Any:
        return a / b

    def in_relax(self, op: Any, a: Any, b: Any) -> Any:
        return op.divide(a, b)

    def in_tir(self, tir: Any, a: Any, b: Any) -> Any:
        return a / b

    @property
    def is_pointwise(self) -> bool:
        # A kernel's lanes behind the channels hold zeros, by which nothing may be divided.
        return super().is_pointwise and self.numbers[0] is None

    def pointwise(self, tir: Any, value: Any) -> Any:
        return super().pointwise(tir, value) if self.is_pointwise else None

    @classmethod
    def recognise(cls, call: Call, xs: Tensors) -> Self | None:
        return cls.joining(call, xs, "div")
