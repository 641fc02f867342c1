"""Batch normalisation that no longer learns."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Self, final

from pydantic import Field

from cnndsl.ir.call import Call
from cnndsl.ir.op import Op, Tensors, register
from cnndsl.ir.shared.refusals import refuse_channels_behind
from cnndsl.ir.tensor import TensorType
from cnndsl.ir.weight import Weight


@final
@register
class FrozenBN(Op):
    """Batch normalisation with fixed statistics, scale and shift, in training too: for detectors with small batches.

    The state is that of torchvision's `FrozenBatchNorm2d`: `weight`, `bias`, `running_mean`, `running_var`, none trained.
    """

    word: ClassVar = "FrozenBN"
    category: ClassVar = "normalization"
    fresh: ClassVar = True
    scales_channels: ClassVar = True
    examples: ClassVar = (("FrozenBN", (4, 5, 6)), ("FrozenBN(1e-3)", (4, 9)), ("FrozenBN", (6,)))

    eps: Annotated[float, Field(ge=0)] = 1e-5
    """Added to the variance."""

    def infer(self, xs: Tensors) -> TensorType:
        (x,) = xs
        refuse_channels_behind(x, self.word)
        return x

    def weights(self, xs: Tensors) -> dict[str, Weight]:
        (x,) = xs
        zeros = Weight(shape=(x.channels,), trained=False)
        ones = Weight(shape=(x.channels,), trained=False, init="ones")
        return {"weight": ones, "bias": zeros, "running_mean": zeros, "running_var": ones}

    def scale_and_shift(self, weights: Mapping[str, Any]) -> tuple[Any, Any]:
        scale = weights["weight"] / (weights["running_var"] + self.eps) ** 0.5
        return scale, weights["bias"] - weights["running_mean"] * scale

    def arithmetic(self, xs: Tensors, y: TensorType) -> int:
        return y.elements

    def call_torch(self, torch: Any, module: Any, xs: Tensors, *values: Any) -> Any:
        (x,) = xs
        column = (-1, *x.per_channel[1:])
        scale = module.weight * (module.running_var + self.eps).rsqrt()
        shift = module.bias - module.running_mean * scale
        return values[0] * scale.reshape(*column) + shift.reshape(*column)

    def to_relax(self, relax: Any, xs: Tensors, values: tuple[Any, ...], weights: dict[str, Any]) -> Any:
        (x,) = xs
        op, shape = relax.op, x.per_channel
        scale = op.rsqrt(op.add(weights["running_var"], relax.const(self.eps, "float32")))
        scale = op.multiply(scale, weights["weight"])
        shift = op.subtract(weights["bias"], op.multiply(weights["running_mean"], scale))
        return op.add(op.multiply(values[0], op.reshape(scale, shape)), op.reshape(shift, shape))

    @classmethod
    def recognise(cls, call: Call, xs: Tensors) -> Self | None:
        return cls(eps=call["eps"]) if call.target == "frozen_batch_norm" else None
