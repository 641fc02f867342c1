"""Layer normalisation."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, final

from pydantic import Field

from cnndsl.ir.arguments import numeric
from cnndsl.ir.op import Op, Tensors, register
from cnndsl.ir.tensor import TensorType
from cnndsl.ir.weight import Weight
from cnndsl.ops.gn import scaled
from cnndsl.ops.linear import over_channels


@final
@register
class LN(Op):
    """Normalise each position by the mean and variance of its channels, wherever they are (Ba et al., 2016).

    On a map it is ConvNeXt's `LayerNorm2d`.
    """

    word: ClassVar = "LN"
    category: ClassVar = "normalization"
    examples: ClassVar = (
        ("LN", (4, 5, 6)),
        ("LN(1e-6)", (6,)),
        ("ToTokens → LN", (3, 4, 5)),
        ("Permute(1, 2, 0) → LN", (3, 4, 5)),
    )

    eps: Annotated[float, Field(ge=0)] = 1e-5
    """Added to the variance."""

    def infer(self, *xs: TensorType) -> TensorType:
        numeric(xs[0], self.word)
        return xs[0]

    def weights(self, *xs: TensorType) -> dict[str, Weight]:
        shape = (xs[0].channels,)
        return {"weight": Weight(shape=shape, init="ones"), "bias": Weight(shape=shape)}

    def arithmetic(self, xs: Tensors, y: TensorType) -> int:
        return y.elements

    def to_torch(self, nn: Any, *xs: TensorType) -> Any:
        options = {} if self.eps == 1e-5 else {"eps": self.eps}
        return nn.LayerNorm(xs[0].channels, **options)

    def call_torch(self, torch: Any, module: Any, xs: Tensors, *values: Any) -> Any:
        return over_channels(module, values[0], xs[0])

    def to_relax(self, relax: Any, xs: Tensors, values: tuple[Any, ...], weights: dict[str, Any]) -> Any:
        op, axis = relax.op, [xs[0].channel_axis + 1]
        centred = op.subtract(values[0], op.mean(values[0], axis=axis, keepdims=True))
        variance = op.mean(op.multiply(centred, centred), axis=axis, keepdims=True)
        normalized = op.multiply(centred, op.rsqrt(op.add(variance, relax.const(self.eps, "float32"))))
        return scaled(relax, normalized, xs[0], weights)
