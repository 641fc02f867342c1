"""Normalisation to unit length."""

from __future__ import annotations

from typing import Any, ClassVar, Self, final

from cnndsl.ir.axes import Axis, axis_index, axis_name, reach_along, seen_along
from cnndsl.ir.call import Call
from cnndsl.ir.op import Op, Tensors, register
from cnndsl.ir.reach import Reach
from cnndsl.ir.shared.refusals import refuse_indices
from cnndsl.ir.shared.relax_words import scaled
from cnndsl.ir.shared.torch_words import per_channel
from cnndsl.ir.tensor import TensorType
from cnndsl.ir.weight import Weight

LEAST = 1e-12


@final
@register
class L2Norm(Op):
    """Bring the channels of each position to length 1, then scale each channel by a trained number.

    `L2Norm(affine=false)` leaves the length at 1, as face embeddings have it (Schroff et al., 2015). With the scale it is
    ParseNet's layer (Liu et al., 2015), which SSD has behind conv4_3 with scales that begin at 20.
    """

    word: ClassVar = "L2Norm"
    category: ClassVar = "normalization"
    any_layout: ClassVar = True
    per_position: ClassVar = "length"
    examples: ClassVar = (
        ("L2Norm", (4, 5, 6)),
        ("L2Norm(1)", (6,)),
        ("ToTokens → L2Norm(init=10)", (3, 4, 5)),
        ("L2Norm(affine=false)", (6,)),
        ("L2Norm(axis=2, affine=false)", (3, 4, 5)),
        ("L2Norm(axis=1)", (3, 4, 5)),
    )

    init: float = 20.0
    """The scales before training."""
    affine: bool = True
    """Whether the scales exist."""
    axis: Axis = "channels"
    """The axis whose numbers have length 1 together: `channels`, or a number from 0 without the batch."""

    def infer(self, xs: Tensors) -> TensorType:
        (x,) = xs
        refuse_indices(x, self.word)
        axis_index(self.axis, x)
        return x

    def weights(self, xs: Tensors) -> dict[str, Weight]:
        (x,) = xs
        scales = Weight(shape=(seen_along(self.axis, x).channels,), init="constant", value=self.init)
        return {"weight": scales} if self.affine else {}

    @property
    def is_plain(self) -> bool:
        return self.axis == "channels"

    def reach(self, xs: Tensors, y: TensorType, index: int) -> tuple[Reach, ...] | None:
        return reach_along(self.axis, xs[0])

    def arithmetic(self, xs: Tensors, y: TensorType) -> int:
        return y.elements

    def call_torch(self, torch: Any, module: Any, xs: Tensors, *values: Any) -> Any:
        (x,) = xs
        x = seen_along(self.axis, x)
        unit = torch.nn.functional.normalize(values[0], dim=x.channel_axis + 1)
        return unit * per_channel(module.weight, x) if self.affine else unit

    def to_relax(self, relax: Any, xs: Tensors, values: tuple[Any, ...], weights: dict[str, Any]) -> Any:
        (x,) = xs
        x = seen_along(self.axis, x)
        op, (value,) = relax.op, values
        length = op.sqrt(op.sum(op.multiply(value, value), axis=[x.channel_axis + 1], keepdims=True))
        unit = op.divide(value, op.maximum(length, relax.const(LEAST, "float32")))
        return scaled(relax, unit, x, weights) if self.affine else unit

    @classmethod
    def recognise(cls, call: Call, xs: Tensors) -> Self | None:
        if call.target != "l2_norm" or len(call["axes"]) != 1:
            return None
        return cls(affine="weight" in call.weights, axis=axis_name(call["axes"][0], xs[0]))
