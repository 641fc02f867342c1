"""Largest of branches."""

from __future__ import annotations

from typing import Any, ClassVar, Self, final

from cnndsl.ir.call import Call
from cnndsl.ir.op import Tensors, register
from cnndsl.ir.shared.elementwise import Elementwise


@final
@register
class Max(Elementwise):
    """Keep the largest of the branches, element by element: maxout (Goodfellow et al., 2013). Axes of size 1 stretch."""

    word: ClassVar = "max"
    combines: ClassVar = "max"
    verb: ClassVar = "compare"
    examples: ClassVar = (
        ("max{ id | Conv1x1(4) }", (4, 5, 6)),
        ("max{ id | GlobalAvgPool }", (4, 5, 6)),
        ("max{ id | Sigmoid | Tanh }", (7,)),
        ("max{ id | 0.1 }", (7,)),
    )

    def in_torch(self, torch: Any, a: Any, b: Any) -> Any:
        if isinstance(a, float) and isinstance(b, float):
            return max(a, b)
        if isinstance(a, float):
            return b.clamp(min=a)
        return a.clamp(min=b) if isinstance(b, float) else torch.maximum(a, b)

    def in_relax(self, op: Any, a: Any, b: Any) -> Any:
        return op.maximum(a, b)

    def in_tir(self, tir: Any, a: Any, b: Any) -> Any:
        return tir.max(a, b)

    @classmethod
    def recognise(cls, call: Call, xs: Tensors) -> Self | None:
        if call.target == "clamp" and "max" not in call.arguments and call.arguments.get("min") is not None:
            return cls(numbers=(None, float(call["min"])))
        return cls.joining(call, xs, "maximum")
