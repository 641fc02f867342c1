"""Product of branches."""

from __future__ import annotations

from typing import Any, ClassVar, Self, final

from cnndsl.ir.call import Call
from cnndsl.ir.op import Tensors, register
from cnndsl.ir.shared.elementwise import Elementwise


@final
@register
class Mul(Elementwise):
    """Multiply the branches element by element: the gate (Hu et al., 2017). Axes of size 1 stretch."""

    word: ClassVar = "mul"
    symbol: ClassVar = "×"
    combines: ClassVar = "mul"
    verb: ClassVar = "multiply"
    gates: ClassVar = True
    examples: ClassVar = (
        ("mul{ id | ReLU }", (4, 5, 6)),
        ("mul{ id | GlobalAvgPool → Sigmoid }", (4, 5, 6)),
        ("mul{ id | ReLU | Sigmoid }", (7,)),
        ("mul{ id | 0.17 }", (4, 5, 6)),
    )

    def in_torch(self, torch: Any, a: Any, b: Any) -> Any:
        return a * b

    def in_relax(self, op: Any, a: Any, b: Any) -> Any:
        return op.multiply(a, b)

    def in_tir(self, tir: Any, a: Any, b: Any) -> Any:
        return a * b

    @classmethod
    def recognise(cls, call: Call, xs: Tensors) -> Self | None:
        return cls.joining(call, xs, "mul")
