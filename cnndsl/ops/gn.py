"""Group normalisation."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Self, final

from pydantic import Field

from cnndsl.ir.arguments import Positive
from cnndsl.ir.call import Call
from cnndsl.ir.op import Op, Tensors, register
from cnndsl.ir.shared.refusals import refuse_channels_behind, refuse_groups, refuse_single_numbers
from cnndsl.ir.shared.relax_words import normalized_groups, scaled
from cnndsl.ir.tensor import TensorType
from cnndsl.ir.weight import Weight


@final
@register
class GN(Op):
    """Normalise groups of channels by their mean and variance over all positions (Wu and He, 2018).

    Each example is normalised by itself, in training as in use, so batches may be small. `GN(1)` takes all channels together.
    """

    word: ClassVar = "GN"
    category: ClassVar = "normalization"
    fresh: ClassVar = True
    examples: ClassVar = (("GN(2)", (4, 5, 6)), ("GN(1, 1e-3)", (3, 9)), ("GN(3)", (6,)), ("GN(2)", (4, 2, 3, 3)))

    groups: Positive
    """Parts into which the channels are divided."""
    eps: Annotated[float, Field(ge=0)] = 1e-5
    """Added to the variance."""

    def infer(self, xs: Tensors) -> TensorType:
        (x,) = xs
        refuse_channels_behind(x, self.word)
        refuse_groups(self.groups, x.channels)
        refuse_single_numbers(x, self.word, x.elements // self.groups)
        return x

    def weights(self, xs: Tensors) -> dict[str, Weight]:
        (x,) = xs
        shape = (x.channels,)
        return {"weight": Weight(shape=shape, init="ones"), "bias": Weight(shape=shape)}

    def arithmetic(self, xs: Tensors, y: TensorType) -> int:
        return y.elements

    def to_torch(self, nn: Any, xs: Tensors) -> Any:
        (x,) = xs
        options = {} if self.eps == 1e-5 else {"eps": self.eps}
        return nn.GroupNorm(self.groups, x.channels, **options)

    def to_relax(self, relax: Any, xs: Tensors, values: tuple[Any, ...], weights: dict[str, Any]) -> Any:
        (x,) = xs
        y = normalized_groups(relax, values[0], x, self.groups, self.eps)
        return scaled(relax, y, x, weights)

    @classmethod
    def recognise(cls, call: Call, xs: Tensors) -> Self | None:
        if call.target != "group_norm" or {*call.weights} != {"weight", "bias"}:
            return None
        return cls(groups=call["num_groups"], eps=call["eps"])
