"""Layer normalisation."""

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
class LN(Op):
    """Normalise each position by the mean and variance of its channels, wherever they are (Ba et al., 2016).

    On a map it is ConvNeXt's `LayerNorm2d`.
    """

    word: ClassVar = "LN"
    category: ClassVar = "normalization"
    fresh: ClassVar = True
    any_layout: ClassVar = True
    per_position: ClassVar = "mean and variance"
    examples: ClassVar = (
        ("LN", (4, 5, 6)),
        ("LN(1e-6)", (6,)),
        ("ToTokens → LN", (3, 4, 5)),
        ("Permute(1, 2, 0) → LN", (3, 4, 5)),
        ("LN(bias=false)", (4, 5, 6)),
        ("LN(affine=false)", (4, 5, 6)),
        ("LN(axis=1)", (4, 5, 6)),
    )

    eps: Annotated[float, Field(ge=0)] = 1e-5
    """Added to the variance."""
    bias: bool = True
    """Whether a trained number is added to each channel."""
    affine: bool = True
    """Whether trained numbers scale and shift each channel at all."""
    axis: Axis = "channels"
    """The axis along which it normalises: `channels`, or a number from 0 without the batch."""

    def infer(self, xs: Tensors) -> TensorType:
        (x,) = xs
        refuse_indices(x, self.word)
        axis_index(self.axis, x)
        return x

    def weights(self, xs: Tensors) -> dict[str, Weight]:
        (x,) = xs
        if not self.affine:
            return {}
        shape = (seen_along(self.axis, x).channels,)
        weight = {"weight": Weight(shape=shape, init="ones")}
        return weight | {"bias": Weight(shape=shape)} if self.bias else weight

    @property
    def is_plain(self) -> bool:
        return self.axis == "channels"

    def reach(self, xs: Tensors, y: TensorType, index: int) -> tuple[Reach, ...] | None:
        return reach_along(self.axis, xs[0])

    def arithmetic(self, xs: Tensors, y: TensorType) -> int:
        return y.elements

    def to_torch(self, nn: Any, xs: Tensors) -> Any:
        (x,) = xs
        options: dict[str, Any] = {} if self.eps == 1e-5 else {"eps": self.eps}
        if not self.affine:
            options["elementwise_affine"] = False
        elif not self.bias:
            options["bias"] = False
        return nn.LayerNorm(seen_along(self.axis, x).channels, **options)

    def call_torch(self, torch: Any, module: Any, xs: Tensors, *values: Any) -> Any:
        (x,) = xs
        return over_channels(module, values[0], seen_along(self.axis, x))

    def to_relax(self, relax: Any, xs: Tensors, values: tuple[Any, ...], weights: dict[str, Any]) -> Any:
        (x,) = xs
        x = seen_along(self.axis, x)
        op, axis = relax.op, [x.channel_axis + 1]
        centred = op.subtract(values[0], op.mean(values[0], axis=axis, keepdims=True))
        variance = op.mean(op.multiply(centred, centred), axis=axis, keepdims=True)
        normalized = op.multiply(centred, op.rsqrt(op.add(variance, relax.const(self.eps, "float32"))))
        return scaled(relax, normalized, x, weights) if weights else normalized

    @classmethod
    def recognise(cls, call: Call, xs: Tensors) -> Self | None:
        given = {*call.weights}
        if (
            call.target != "layer_norm"
            or len(call["axes"]) != 1
            or given not in ({"weight", "bias"}, {"weight"}, set())
        ):
            return None
        (axis,) = call["axes"]
        return cls(eps=call["eps"], axis=axis_name(axis, xs[0]), affine=bool(given), bias=given != {"weight"})
