"""Global response normalisation."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Self, final

from pydantic import Field

from cnndsl.ir.axes import behind_channels
from cnndsl.ir.call import Call
from cnndsl.ir.op import Op, Tensors, register
from cnndsl.ir.shared.refusals import refuse_indices, refuse_vector
from cnndsl.ir.shared.relax_words import scaled
from cnndsl.ir.tensor import TensorType
from cnndsl.ir.weight import Weight


@final
@register
class GRN(Op):
    """Let channels compete: each is weighed by its length over all positions, relative to the mean length.

    ConvNeXt V2's layer (Woo et al., 2023): `x + bias + weight · x · |x_c| / (mean |x| + eps)`. The state is timm's:
    `weight` and `bias`, one number a channel; the authors' own code has the same numbers as 1×1×1×C `gamma` and `beta`.
    """

    word: ClassVar = "GRN"
    category: ClassVar = "normalization"
    any_layout: ClassVar = True
    examples: ClassVar = (("GRN", (4, 3, 5)), ("Permute(1, 2, 0) → GRN", (4, 3, 5)), ("ToTokens → GRN", (3, 4, 5)))

    eps: Annotated[float, Field(gt=0)] = 1e-6
    """Added to the mean length."""

    def infer(self, xs: Tensors) -> TensorType:
        (x,) = xs
        refuse_indices(x, self.word)
        refuse_vector(x, "`GRN` compares channels over all positions")
        return x

    def weights(self, xs: Tensors) -> dict[str, Weight]:
        (x,) = xs
        shape = (x.channels,)
        return {"weight": Weight(shape=shape), "bias": Weight(shape=shape)}

    def arithmetic(self, xs: Tensors, y: TensorType) -> int:
        return 2 * y.elements

    def call_torch(self, torch: Any, module: Any, xs: Tensors, *values: Any) -> Any:
        (x,), (value,) = xs, values
        column = (-1, *x.per_channel[1:])
        length = torch.linalg.vector_norm(value, dim=[n + 1 for n in behind_channels(x)], keepdim=True)
        share = length / (length.mean(x.channel_axis + 1, keepdim=True) + self.eps)
        return value + module.bias.reshape(*column) + module.weight.reshape(*column) * (value * share)

    def to_relax(self, relax: Any, xs: Tensors, values: tuple[Any, ...], weights: dict[str, Any]) -> Any:
        (x,), (value,), op = xs, values, relax.op
        square = op.sum(op.multiply(value, value), axis=[n + 1 for n in behind_channels(x)], keepdims=True)
        length = op.sqrt(square)
        mean = op.mean(length, axis=[x.channel_axis + 1], keepdims=True)
        share = op.divide(length, op.add(mean, relax.const(self.eps, "float32")))
        return op.add(value, scaled(relax, op.multiply(value, share), x, weights))

    @classmethod
    def recognise(cls, call: Call, xs: Tensors) -> Self | None:
        return cls(eps=call["eps"]) if call.target == "global_response_norm" else None
