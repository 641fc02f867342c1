"""Sum of branches."""

from __future__ import annotations

from typing import Any, ClassVar, final

from cnndsl.ir.broadcast import stretched
from cnndsl.ir.op import Op, Tensors, register
from cnndsl.ir.tensor import TensorType


@final
@register
class Add(Op):
    """Add the branches element by element: the residual connection (He et al., 2015). Axes of size 1 stretch."""

    word: ClassVar = "add"
    category: ClassVar = "merge"
    symbol: ClassVar = "+"
    merges: ClassVar = True
    combines: ClassVar = "add"
    fresh: ClassVar = True
    takes_position: ClassVar = False
    examples: ClassVar = (
        ("add{ id | ReLU }", (4, 5, 6)),
        ("add{ id | GlobalAvgPool → Sigmoid }", (4, 5, 6)),
        ("add{ id | ReLU | Sigmoid }", (7,)),
    )

    def infer(self, xs: Tensors) -> TensorType:
        return stretched(xs, "add")

    def arithmetic(self, xs: Tensors, y: TensorType) -> int:
        return (len(xs) - 1) * y.elements

    def call_torch(self, torch: Any, module: Any, xs: Tensors, *values: Any) -> Any:
        result = values[0]
        for value in values[1:]:
            result = result + value
        return result

    def to_relax(self, relax: Any, xs: Tensors, values: tuple[Any, ...], weights: dict[str, Any]) -> Any:
        result = values[0]
        for value in values[1:]:
            result = relax.op.add(result, value)
        return result
