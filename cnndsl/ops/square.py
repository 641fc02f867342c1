"""Square."""

from __future__ import annotations

from typing import Any, ClassVar, Self, final

from cnndsl.ir.call import Call
from cnndsl.ir.op import Tensors, register
from cnndsl.ir.shared.function import Function


@final
@register
class Square(Function):
    """`x · x`: with pools, the energy of a signal."""

    word: ClassVar = "Square"
    never_negative: ClassVar = True
    examples: ClassVar = (("Square", (4, 5, 6)), ("Square", (7,)))

    def pointwise(self, tir: Any, value: Any) -> Any:
        return value * value

    @classmethod
    def recognise(cls, call: Call, xs: Tensors) -> Self | None:
        power = call.target == "pow" and call.arguments.get("exponent") == 2
        return cls() if power else super().recognise(call, xs)
