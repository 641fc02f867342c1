"""Instance normalisation."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Self, final

from pydantic import Field

from cnndsl.ir.call import Call
from cnndsl.ir.op import Op, Tensors, register
from cnndsl.ir.shared.refusals import refuse_no_map, refuse_single_numbers
from cnndsl.ir.shared.relax_words import normalized_groups, scaled
from cnndsl.ir.tensor import TensorType
from cnndsl.ir.weight import Weight


@final
@register
class IN(Op):
    """Normalise each channel of each example by its mean and variance over all positions (Ulyanov et al., 2016)."""

    word: ClassVar = "IN"
    category: ClassVar = "normalization"
    subtracts_mean: ClassVar = True
    examples: ClassVar = (("IN", (4, 5, 6)), ("IN(affine=true)", (3, 9)), ("IN(1e-3)", (2, 2, 3, 3)))

    eps: Annotated[float, Field(gt=0)] = 1e-5
    """Added to the variance."""
    affine: bool = False
    """Whether a trained scale and shift follow."""

    def infer(self, xs: Tensors) -> TensorType:
        (x,) = xs
        refuse_no_map(x, self.word)
        refuse_single_numbers(x, self.word, x.elements // x.channels)
        return x

    def weights(self, xs: Tensors) -> dict[str, Weight]:
        (x,) = xs
        shape = (x.channels,)
        return {"weight": Weight(shape=shape, init="ones"), "bias": Weight(shape=shape)} if self.affine else {}

    def arithmetic(self, xs: Tensors, y: TensorType) -> int:
        return y.elements

    def to_torch(self, nn: Any, xs: Tensors) -> Any:
        (x,) = xs
        options: dict[str, Any] = {} if self.eps == 1e-5 else {"eps": self.eps}
        if self.affine:
            options["affine"] = True
        return (nn.InstanceNorm1d, nn.InstanceNorm2d, nn.InstanceNorm3d)[x.rank - 1](x.channels, **options)

    def to_relax(self, relax: Any, xs: Tensors, values: tuple[Any, ...], weights: dict[str, Any]) -> Any:
        (x,) = xs
        y = normalized_groups(relax, values[0], x, x.channels, self.eps)
        return scaled(relax, y, x, weights) if self.affine else y

    @classmethod
    def recognise(cls, call: Call, xs: Tensors) -> Self | None:
        if call.target != "instance_norm" or not call["use_input_stats"] or "running_mean" in call.weights:
            return None
        return cls(eps=call["eps"], affine="weight" in call.weights)
