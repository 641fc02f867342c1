"""Normalisation by the root mean square."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Self, final

from pydantic import Field

from cnndsl.ir.axes import Axis, axis_index, axis_name, reach_along, seen_along
from cnndsl.ir.call import Call
from cnndsl.ir.op import Op, Tensors, register
from cnndsl.ir.reach import Reach
from cnndsl.ir.shared.refusals import refuse_indices
from cnndsl.ir.shared.relax_words import scaled
from cnndsl.ir.shared.torch_words import over_channels
from cnndsl.ir.tensor import TensorType
from cnndsl.ir.weight import Weight


@final
@register
class RMSNorm(Op):
    """Divide each position by the root mean square of its channels, wherever they are (Zhang and Sennrich, 2019)."""

    word: ClassVar = "RMSNorm"
    category: ClassVar = "normalization"
    any_layout: ClassVar = True
    per_position: ClassVar = "mean square"
    examples: ClassVar = (
        ("RMSNorm", (4, 5, 6)),
        ("RMSNorm(1e-3)", (6,)),
        ("ToTokens → RMSNorm", (3, 4, 5)),
        ("RMSNorm(axis=2)", (3, 4, 5)),
    )

    eps: Annotated[float, Field(ge=0)] = 1e-6
    """Added to the mean square."""

    axis: Axis = "channels"
    """The axis along which it normalises: `channels`, or a number from 0 without the batch."""

    def infer(self, xs: Tensors) -> TensorType:
        (x,) = xs
        refuse_indices(x, self.word)
        axis_index(self.axis, x)
        return x

    def weights(self, xs: Tensors) -> dict[str, Weight]:
        (x,) = xs
        return {"weight": Weight(shape=(seen_along(self.axis, x).channels,), init="ones")}

    @property
    def is_plain(self) -> bool:
        return self.axis == "channels"

    def reach(self, xs: Tensors, y: TensorType, index: int) -> tuple[Reach, ...] | None:
        return reach_along(self.axis, xs[0])

    def arithmetic(self, xs: Tensors, y: TensorType) -> int:
        return y.elements

    def to_torch(self, nn: Any, xs: Tensors) -> Any:
        (x,) = xs
        return nn.RMSNorm(seen_along(self.axis, x).channels, eps=self.eps)

    def call_torch(self, torch: Any, module: Any, xs: Tensors, *values: Any) -> Any:
        (x,) = xs
        return over_channels(module, values[0], seen_along(self.axis, x))

    def to_relax(self, relax: Any, xs: Tensors, values: tuple[Any, ...], weights: dict[str, Any]) -> Any:
        (x,) = xs
        x = seen_along(self.axis, x)
        op, (value,) = relax.op, values
        square = op.mean(op.multiply(value, value), axis=[x.channel_axis + 1], keepdims=True)
        normalized = op.multiply(value, op.rsqrt(op.add(square, relax.const(self.eps, "float32"))))
        return scaled(relax, normalized, x, weights)

    @classmethod
    def recognise(cls, call: Call, xs: Tensors) -> Self | None:
        if call.target != "rms_norm" or len(call["axes"]) != 1 or {*call.weights} != {"weight"} or not call["eps"]:
            return None
        return cls(eps=call["eps"], axis=axis_name(call["axes"][0], xs[0]))
