"""A trained factor."""

from __future__ import annotations

from typing import Any, ClassVar, final

from cnndsl.ir.op import Op, Tensors, register
from cnndsl.ir.refusals import refuse_indices
from cnndsl.ir.tensor import TensorType
from cnndsl.ir.weight import Weight


@final
@register
class Scale(Op):
    """Multiply everything by one trained number: FCOS has one for each level, ReZero begins with `Scale(0)`.

    It is one tensor, whose key is its label, as in `alpha: Scale(0)`.
    """

    word: ClassVar = "Scale"
    category: ClassVar = "normalization"
    one_tensor: ClassVar = True
    examples: ClassVar = (("Scale", (4, 5, 6)), ("Scale(0)", (6,)))

    init: float = 1.0
    """The number before training."""

    def infer(self, xs: Tensors) -> TensorType:
        (x,) = xs
        refuse_indices(x, self.word)
        return x

    def weights(self, xs: Tensors) -> dict[str, Weight]:
        return {"": Weight(shape=(), init="constant", value=self.init)}

    def arithmetic(self, xs: Tensors, y: TensorType) -> int:
        return y.elements

    def call_torch(self, torch: Any, module: Any, xs: Tensors, *values: Any) -> Any:
        return values[0] * module

    def to_relax(self, relax: Any, xs: Tensors, values: tuple[Any, ...], weights: dict[str, Any]) -> Any:
        return relax.op.multiply(values[0], weights[""])
