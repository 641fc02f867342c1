"""Difference of branches."""

from __future__ import annotations

from typing import Any, ClassVar, final

from cnndsl.ir.broadcast import stretched
from cnndsl.ir.op import Op, Tensors, register
from cnndsl.ir.tensor import TensorType


@final
@register
class Sub(Op):
    """Take the other branches from the first one, element by element. Axes of size 1 stretch."""

    word: ClassVar = "sub"
    category: ClassVar = "merge"
    symbol: ClassVar = "−"
    merges: ClassVar = True
    combines: ClassVar = "sub"
    fresh: ClassVar = True
    takes_position: ClassVar = False
    examples: ClassVar = (
        ("sub{ id | Conv1x1(4) }", (4, 5, 6)),
        ("sub{ id | Sigmoid | Tanh }", (7,)),
        ("sub{ GlobalAvgPool | id }", (4, 5, 6)),
    )

    def infer(self, xs: Tensors) -> TensorType:
        return stretched(xs, "subtract")

    def arithmetic(self, xs: Tensors, y: TensorType) -> int:
        return (len(xs) - 1) * y.elements

    def call_torch(self, torch: Any, module: Any, xs: Tensors, *values: Any) -> Any:
        result = values[0]
        for value in values[1:]:
            result = result - value
        return result

    def to_relax(self, relax: Any, xs: Tensors, values: tuple[Any, ...], weights: dict[str, Any]) -> Any:
        result = values[0]
        for value in values[1:]:
            result = relax.op.subtract(result, value)
        return result
