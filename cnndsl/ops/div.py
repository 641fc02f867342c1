"""Quotient of branches."""

from __future__ import annotations

from typing import Any, ClassVar, final

from cnndsl.ir.broadcast import stretched
from cnndsl.ir.op import Op, Tensors, register
from cnndsl.ir.tensor import TensorType


@final
@register
class Div(Op):
    """Divide the first branch by the others, element by element. Axes of size 1 stretch."""

    word: ClassVar = "div"
    category: ClassVar = "merge"
    symbol: ClassVar = "÷"
    merges: ClassVar = True
    takes_position: ClassVar = False
    examples: ClassVar = (
        ("div{ id | Conv1x1(4) → Exp }", (4, 5, 6)),
        ("div{ id | Exp | Softplus → Exp }", (7,)),
        ("div{ id | Exp → GlobalAvgPool }", (4, 5, 6)),
    )

    def infer(self, xs: Tensors) -> TensorType:
        return stretched(xs, "divide")

    def arithmetic(self, xs: Tensors, y: TensorType) -> int:
        return (len(xs) - 1) * y.elements

    def call_torch(self, torch: Any, module: Any, xs: Tensors, *values: Any) -> Any:
        result = values[0]
        for value in values[1:]:
            result = result / value
        return result

    def to_relax(self, relax: Any, xs: Tensors, values: tuple[Any, ...], weights: dict[str, Any]) -> Any:
        result = values[0]
        for value in values[1:]:
            result = relax.op.divide(result, value)
        return result
