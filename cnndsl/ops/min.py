"""Smallest of branches."""

from __future__ import annotations

from typing import Any, ClassVar, Self, final

from cnndsl.ir.call import Call
from cnndsl.ir.op import Tensors, register
from cnndsl.ir.shared.elementwise import Elementwise


@final
@register
class Min(Elementwise):
    """Keep the smallest of the branches, element by element. Axes of size 1 stretch."""

    word: ClassVar = "min"
    combines: ClassVar = "min"
    verb: ClassVar = "compare"
    examples: ClassVar = (
        ("min{ id | Conv1x1(4) }", (4, 5, 6)),
        ("min{ id | GlobalAvgPool }", (4, 5, 6)),
        ("min{ id | Sigmoid | Tanh }", (7,)),
        ("min{ id | 6 }", (7,)),
    )

    def in_torch(self, torch: Any, a: Any, b: Any) -> Any:
        if isinstance(a, float) and isinstance(b, float):
            return min(a, b)
        if isinstance(a, float):
            return b.clamp(max=a)
        return a.clamp(max=b) if isinstance(b, float) else torch.minimum(a, b)

    def in_relax(self, op: Any, a: Any, b: Any) -> Any:
        return op.minimum(a, b)

    def in_tir(self, tir: Any, a: Any, b: Any) -> Any:
        return tir.min(a, b)

    @classmethod
    def recognise(cls, call: Call, xs: Tensors) -> Self | None:
        if call.target == "clamp" and "min" not in call.arguments and call.arguments.get("max") is not None:
            return cls(numbers=(None, float(call["max"])))
        return cls.joining(call, xs, "minimum")
