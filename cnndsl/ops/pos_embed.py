"""Position embedding."""

from __future__ import annotations

from typing import Any, ClassVar, Self, final

from cnndsl.ir.call import Call
from cnndsl.ir.op import Op, Tensors, register
from cnndsl.ir.shared.refusals import refuse_indices
from cnndsl.ir.tensor import TensorType
from cnndsl.ir.weight import Weight


@final
@register
class PosEmbed(Op):
    """Add a trained tensor of the input's shape, so that positions differ (Dosovitskiy et al., 2020).

    Its label is its key: `pos_embedding: PosEmbed` on 197 tokens of 768 is a weight of 1×197×768 called `pos_embedding`.
    """

    word: ClassVar = "PosEmbed"
    category: ClassVar = "attention"
    any_layout: ClassVar = True
    one_tensor: ClassVar = True
    examples: ClassVar = (("ToTokens → pos: PosEmbed", (3, 2, 4)), ("pos: PosEmbed", (3, 4, 5)))

    def infer(self, xs: Tensors) -> TensorType:
        (x,) = xs
        refuse_indices(x, self.word)
        return x

    def weights(self, xs: Tensors) -> dict[str, Weight]:
        (x,) = xs
        return {"": Weight(shape=(1, *x.shape), init="normal", std=0.02)}

    def arithmetic(self, xs: Tensors, y: TensorType) -> int:
        return y.elements

    def call_torch(self, torch: Any, module: Any, xs: Tensors, *values: Any) -> Any:
        return values[0] + module

    def to_relax(self, relax: Any, xs: Tensors, values: tuple[Any, ...], weights: dict[str, Any]) -> Any:
        return relax.op.add(values[0], weights[""])

    @classmethod
    def recognise(cls, call: Call, xs: Tensors) -> Self | None:
        return cls() if call.target == "pos_embed" and call.weights["weight"] == (1, *xs[0].shape) else None
