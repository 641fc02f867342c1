"""Batch normalisation."""

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
class BN(Op):
    """Normalise each channel by its mean and variance over the batch (Ioffe and Szegedy, 2015).

    In use, the running mean and variance observed in training take the place of the batch's.
    """

    word: ClassVar = "BN"
    category: ClassVar = "normalization"
    subtracts_mean: ClassVar = True
    scales_channels: ClassVar = True
    fresh: ClassVar = True
    examples: ClassVar = (
        ("BN", (4, 5, 6)),
        ("BN(1e-3, affine=false)", (4, 5, 6)),
        ("BN", (6,)),
        ("BN", (4, 9)),
        ("BN(momentum=0.01)", (2, 3, 4, 5)),
    )

    eps: Annotated[float, Field(gt=0)] = 1e-5
    """Added to the variance."""
    momentum: Annotated[float, Field(ge=0, le=1)] = 0.1
    """Share of the newest batch in the running statistics."""
    affine: bool = True
    """Whether a trained scale and shift follow."""

    def infer(self, xs: Tensors) -> TensorType:
        (x,) = xs
        refuse_channels_behind(x, self.word)
        return x

    def weights(self, xs: Tensors) -> dict[str, Weight]:
        (x,) = xs
        shape = (x.channels,)
        trained = {"weight": Weight(shape=shape, init="ones"), "bias": Weight(shape=shape)} if self.affine else {}
        return trained | {
            "running_mean": Weight(shape=shape, trained=False),
            "running_var": Weight(shape=shape, trained=False, init="ones"),
            "num_batches_tracked": Weight(shape=(), trained=False, dtype="int64"),
        }

    def scale_and_shift(self, weights: Mapping[str, Any]) -> tuple[Any, Any]:
        scale = weights.get("weight", 1) / (weights["running_var"] + self.eps) ** 0.5
        return scale, weights.get("bias", 0) - weights["running_mean"] * scale

    def arithmetic(self, xs: Tensors, y: TensorType) -> int:
        return y.elements

    def to_torch(self, nn: Any, xs: Tensors) -> Any:
        (x,) = xs
        options: dict[str, Any] = {}
        if self.eps != 1e-5:
            options["eps"] = self.eps
        if self.momentum != 0.1:
            options["momentum"] = self.momentum
        if not self.affine:
            options["affine"] = False
        return (nn.BatchNorm1d, nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d)[x.rank](x.channels, **options)

    def to_relax(self, relax: Any, xs: Tensors, values: tuple[Any, ...], weights: dict[str, Any]) -> Any:
        (x,) = xs
        op = relax.op
        shape = (1, x.channels, *(1,) * x.rank)
        scale = op.rsqrt(op.add(weights["running_var"], relax.const(self.eps, "float32")))
        if self.affine:
            scale = op.multiply(scale, weights["weight"])
        shift = op.negative(op.multiply(weights["running_mean"], scale))
        if self.affine:
            shift = op.add(shift, weights["bias"])
        return op.add(op.multiply(values[0], op.reshape(scale, shape)), op.reshape(shift, shape))

    @classmethod
    def recognise(cls, call: Call, xs: Tensors) -> Self | None:
        if call.target != "batch_norm" or call.arguments.get("training") or "running_mean" not in call.weights:
            return None
        return cls(eps=call["eps"], momentum=call.arguments.get("momentum", 0.1), affine="weight" in call.weights)
