"""Mean of branches."""

from __future__ import annotations

from typing import Any, ClassVar, final

from cnndsl.ir.broadcast import alike
from cnndsl.ir.op import Op, Tensors, register
from cnndsl.ir.refusals import refuse_indices
from cnndsl.ir.tensor import TensorType


@final
@register
class BranchMean(Op):
    """Average the branches, element by element: their sum over their number. `Mean` averages along axes."""

    word: ClassVar = "mean"
    category: ClassVar = "merge"
    merges: ClassVar = True
    combines: ClassVar = "mean"
    takes_position: ClassVar = False
    examples: ClassVar = (
        ("mean{ id | Conv1x1(4) }", (4, 5, 6)),
        ("mean{ id | Sigmoid | Tanh }", (7,)),
    )

    def infer(self, xs: Tensors) -> TensorType:
        refuse_indices(xs[0], self.word)
        return alike(xs, "average")

    def arithmetic(self, xs: Tensors, y: TensorType) -> int:
        return len(xs) * y.elements

    def call_torch(self, torch: Any, module: Any, xs: Tensors, *values: Any) -> Any:
        result = values[0]
        for value in values[1:]:
            result = result + value
        return result / len(values)

    def to_relax(self, relax: Any, xs: Tensors, values: tuple[Any, ...], weights: dict[str, Any]) -> Any:
        result = values[0]
        for value in values[1:]:
            result = relax.op.add(result, value)
        return relax.op.divide(result, relax.const(float(len(values)), xs[0].dtype))
