"""Sum of branches."""

from __future__ import annotations

from typing import Any, ClassVar, Self, final

from cnndsl.ir.call import Call
from cnndsl.ir.op import Tensors, register
from cnndsl.ir.shared.elementwise import Elementwise


@final
@register
class Add(Elementwise):
    """Add the branches element by element: the residual connection (He et al., 2015). Axes of size 1 stretch."""

    word: ClassVar = "add"
    symbol: ClassVar = "+"
    combines: ClassVar = "add"
    fresh: ClassVar = True
    verb: ClassVar = "add"
    examples: ClassVar = (
        ("add{ id | ReLU }", (4, 5, 6)),
        ("add{ id | GlobalAvgPool → Sigmoid }", (4, 5, 6)),
        ("add{ id | ReLU | Sigmoid }", (7,)),
        ("add{ id | -3 }", (7,)),
    )

    def in_torch(self, torch: Any, a: Any, b: Any) -> Any:
        return a + b

    def in_relax(self, op: Any, a: Any, b: Any) -> Any:
        return op.add(a, b)

    def in_tir(self, tir: Any, a: Any, b: Any) -> Any:
        return a + b

    @classmethod
    def recognise(cls, call: Call, xs: Tensors) -> Self | None:
        return cls.joining(call, xs, "add")
