"""Product of branches."""

from __future__ import annotations

from typing import Any, ClassVar, final

from cnndsl.ir.broadcast import stretched
from cnndsl.ir.op import Op, Tensors, register
from cnndsl.ir.tensor import TensorType


@final
@register
class Mul(Op):
    """Multiply the branches element by element: the gate (Hu et al., 2017). Axes of size 1 stretch."""

    word: ClassVar = "mul"
    category: ClassVar = "merge"
    symbol: ClassVar = "×"
    merges: ClassVar = True
    combines: ClassVar = "mul"
    fresh: ClassVar = True
    gates: ClassVar = True
    takes_position: ClassVar = False
    examples: ClassVar = (
        ("mul{ id | ReLU }", (4, 5, 6)),
        ("mul{ id | GlobalAvgPool → Sigmoid }", (4, 5, 6)),
        ("mul{ id | ReLU | Sigmoid }", (7,)),
    )

    def infer(self, xs: Tensors) -> TensorType:
        return stretched(xs, "multiply")

    def arithmetic(self, xs: Tensors, y: TensorType) -> int:
        return (len(xs) - 1) * y.elements

    def call_torch(self, torch: Any, module: Any, xs: Tensors, *values: Any) -> Any:
        result = values[0]
        for value in values[1:]:
            result = result * value
        return result

    def to_relax(self, relax: Any, xs: Tensors, values: tuple[Any, ...], weights: dict[str, Any]) -> Any:
        result = values[0]
        for value in values[1:]:
            result = relax.op.multiply(result, value)
        return result
