"""Softmax."""

from __future__ import annotations

from typing import Any, ClassVar, final

from cnndsl.ir.op import Op, Tensors, register
from cnndsl.ir.refusals import refuse_indices
from cnndsl.ir.tensor import TensorType


@final
@register
class Softmax(Op):
    """Turn the channels of each position into probabilities: `exp(x_c) / Σ exp(x)`."""

    word: ClassVar = "Softmax"
    category: ClassVar = "activation"
    any_layout: ClassVar = True
    per_position: ClassVar = "softmax"
    examples: ClassVar = (("Softmax", (10,)), ("Softmax", (4, 5, 6)))

    def infer(self, xs: Tensors) -> TensorType:
        (x,) = xs
        refuse_indices(x, self.word)
        return x

    def arithmetic(self, xs: Tensors, y: TensorType) -> int:
        return y.elements

    def to_torch(self, nn: Any, xs: Tensors) -> Any:
        (x,) = xs
        return nn.Softmax(dim=x.channel_axis + 1)

    def to_relax(self, relax: Any, xs: Tensors, values: tuple[Any, ...], weights: dict[str, Any]) -> Any:
        (x,) = xs
        return relax.op.nn.softmax(values[0], axis=x.channel_axis + 1)
