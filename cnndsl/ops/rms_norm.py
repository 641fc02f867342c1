"""Normalisation by the root mean square."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, final

from pydantic import Field

from cnndsl.ir.op import Op, Tensors, register
from cnndsl.ir.refusals import refuse_indices
from cnndsl.ir.relax_words import scaled
from cnndsl.ir.tensor import TensorType
from cnndsl.ir.torch_words import over_channels
from cnndsl.ir.weight import Weight


@final
@register
class RMSNorm(Op):
    """Divide each position by the root mean square of its channels, wherever they are (Zhang and Sennrich, 2019)."""

    word: ClassVar = "RMSNorm"
    category: ClassVar = "normalization"
    any_layout: ClassVar = True
    per_position: ClassVar = "mean square"
    examples: ClassVar = (("RMSNorm", (4, 5, 6)), ("RMSNorm(1e-3)", (6,)), ("ToTokens → RMSNorm", (3, 4, 5)))

    eps: Annotated[float, Field(ge=0)] = 1e-6
    """Added to the mean square."""

    def infer(self, xs: Tensors) -> TensorType:
        (x,) = xs
        refuse_indices(x, self.word)
        return x

    def weights(self, xs: Tensors) -> dict[str, Weight]:
        (x,) = xs
        return {"weight": Weight(shape=(x.channels,), init="ones")}

    def arithmetic(self, xs: Tensors, y: TensorType) -> int:
        return y.elements

    def to_torch(self, nn: Any, xs: Tensors) -> Any:
        (x,) = xs
        return nn.RMSNorm(x.channels, eps=self.eps)

    def call_torch(self, torch: Any, module: Any, xs: Tensors, *values: Any) -> Any:
        (x,) = xs
        return over_channels(module, values[0], x)

    def to_relax(self, relax: Any, xs: Tensors, values: tuple[Any, ...], weights: dict[str, Any]) -> Any:
        (x,) = xs
        op, (value,) = relax.op, values
        square = op.mean(op.multiply(value, value), axis=[x.channel_axis + 1], keepdims=True)
        normalized = op.multiply(value, op.rsqrt(op.add(square, relax.const(self.eps, "float32"))))
        return scaled(relax, normalized, x, weights)
