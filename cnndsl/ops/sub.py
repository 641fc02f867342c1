"""Difference of branches."""

from __future__ import annotations

from typing import Any, ClassVar, Self, final

from cnndsl.ir.call import Call
from cnndsl.ir.op import Tensors, register
from cnndsl.ir.shared.elementwise import Elementwise


@final
@register
class Sub(Elementwise):
    """Take the other branches from the first one, element by element. Axes of size 1 stretch."""

    word: ClassVar = "sub"
    symbol: ClassVar = "−"
    combines: ClassVar = "sub"
    fresh: ClassVar = True
    verb: ClassVar = "subtract"
    examples: ClassVar = (
        ("sub{ id | Conv1x1(4) }", (4, 5, 6)),
        ("sub{ id | GlobalAvgPool }", (4, 5, 6)),
        ("sub{ id | Sigmoid | Tanh }", (7,)),
        ("sub{ 1 | Sigmoid }", (7,)),
    )

    def in_torch(self, torch: Any, a: Any, b: Any) -> Any:
        return a - b

    def in_relax(self, op: Any, a: Any, b: Any) -> Any:
        return op.subtract(a, b)

    def in_tir(self, tir: Any, a: Any, b: Any) -> Any:
        return a - b

    @classmethod
    def recognise(cls, call: Call, xs: Tensors) -> Self | None:
        return cls.joining(call, xs, "sub")
