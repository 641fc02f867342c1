"""Largest of branches."""

from __future__ import annotations

from typing import Any, ClassVar, final

from cnndsl.ir.broadcast import stretched
from cnndsl.ir.op import Op, Tensors, register
from cnndsl.ir.tensor import TensorType


@final
@register
class Max(Op):
    """Keep the largest of the branches, element by element: maxout (Goodfellow et al., 2013). Axes of size 1 stretch."""

    word: ClassVar = "max"
    category: ClassVar = "merge"
    merges: ClassVar = True
    combines: ClassVar = "max"
    takes_position: ClassVar = False
    examples: ClassVar = (
        ("max{ id | Conv1x1(4) }", (4, 5, 6)),
        ("max{ id | Sigmoid | Tanh }", (7,)),
        ("max{ GlobalAvgPool | id }", (4, 5, 6)),
    )

    def infer(self, xs: Tensors) -> TensorType:
        return stretched(xs, "compare")

    def arithmetic(self, xs: Tensors, y: TensorType) -> int:
        return (len(xs) - 1) * y.elements

    def call_torch(self, torch: Any, module: Any, xs: Tensors, *values: Any) -> Any:
        result = values[0]
        for value in values[1:]:
            result = torch.maximum(result, value)
        return result

    def to_relax(self, relax: Any, xs: Tensors, values: tuple[Any, ...], weights: dict[str, Any]) -> Any:
        result = values[0]
        for value in values[1:]:
            result = relax.op.maximum(result, value)
        return result
