"""Mean of branches."""

from __future__ import annotations

from typing import Any, ClassVar, Self, final

from cnndsl.ir.call import Call
from cnndsl.ir.op import Tensors, register
from cnndsl.ir.shared.elementwise import Elementwise
from cnndsl.ir.shared.refusals import refuse_indices
from cnndsl.ir.tensor import TensorType


@final
@register
class BranchMean(Elementwise):
    """Average the branches, element by element: their sum over their number. `Mean` averages along axes."""

    word: ClassVar = "mean"
    combines: ClassVar = "mean"
    verb: ClassVar = "average"
    stretches: ClassVar = False
    examples: ClassVar = (
        ("mean{ id | Conv1x1(4) }", (4, 5, 6)),
        ("mean{ id | Sigmoid | Tanh }", (7,)),
    )

    def infer(self, xs: Tensors) -> TensorType:
        refuse_indices(xs[0], self.word)
        return super().infer(xs)

    def arithmetic(self, xs: Tensors, y: TensorType) -> int:
        return super().arithmetic(xs, y) + y.elements

    def call_torch(self, torch: Any, module: Any, xs: Tensors, *values: Any) -> Any:
        return super().call_torch(torch, module, xs, *values) / (len(self.numbers) or len(values))

    def to_relax(self, relax: Any, xs: Tensors, values: tuple[Any, ...], weights: dict[str, Any]) -> Any:
        count = float(len(self.numbers) or len(values))
        return relax.op.divide(super().to_relax(relax, xs, values, weights), relax.const(count, xs[0].dtype))

    def pointwise(self, tir: Any, value: Any) -> Any:
        total = super().pointwise(tir, value)
        return None if total is None else total / tir.const(float(len(self.numbers)), "float32")

    def in_torch(self, torch: Any, a: Any, b: Any) -> Any:
        return a + b

    def in_relax(self, op: Any, a: Any, b: Any) -> Any:
        return op.add(a, b)

    def in_tir(self, tir: Any, a: Any, b: Any) -> Any:
        return a + b

    @classmethod
    def recognise(cls, call: Call, xs: Tensors) -> Self | None:
        return cls() if call.target == "mean of branches" else None
