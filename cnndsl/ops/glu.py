"""Gated linear unit."""

from __future__ import annotations

from typing import Any, ClassVar, Self, final

from cnndsl.diagnostics.errors import Refusal
from cnndsl.ir.axes import Axis, axis_index, axis_name, behind_channels, seen_along, with_length
from cnndsl.ir.call import Call
from cnndsl.ir.op import Op, Tensors, register
from cnndsl.ir.reach import Reach
from cnndsl.ir.shared.refusals import refuse_indices
from cnndsl.ir.tensor import TensorType


@final
@register
class GLU(Op):
    """The first half of the channels, weighed by the sigmoid of the second half (Dauphin et al., 2016)."""

    word: ClassVar = "GLU"
    category: ClassVar = "activation"
    examples: ClassVar = (("GLU", (4, 5, 6)), ("GLU", (8,)), ("Conv3(6) → GLU", (3, 10)), ("GLU(axis=1)", (3, 6, 5)))

    axis: Axis = "channels"
    """The axis that is halved: `channels`, or a number from 0 without the batch."""

    def infer(self, xs: Tensors) -> TensorType:
        (x,) = xs
        refuse_indices(x, self.word)
        length = seen_along(self.axis, x).channels
        if length % 2:
            what = "the channels" if self.axis == "channels" else f"axis {self.axis}"
            raise Refusal(
                "shape-mismatch",
                f"`GLU` halves {what}, and {length} arrive",
                notes=(f"expected an even number, found {length} in {x}",),
                help="give the layer before it twice the channels that should leave",
            )
        return with_length(self.axis, x, length // 2)

    def reach(self, xs: Tensors, y: TensorType, index: int) -> tuple[Reach, ...] | None:
        """Along the axis that is halved, a position sees itself and the one half the length behind."""
        (x,) = xs
        along = axis_index(self.axis, x)
        if along == x.channel_axis:
            return None
        half = x.shape[along] // 2
        return tuple(
            Reach(1, 0, half, i, even=False) if n == along else Reach(1, 0, 0, i)
            for i, n in enumerate(behind_channels(x))
        )

    def arithmetic(self, xs: Tensors, y: TensorType) -> int:
        return 2 * y.elements

    def to_torch(self, nn: Any, xs: Tensors) -> Any:
        (x,) = xs
        return nn.GLU(dim=axis_index(self.axis, x) + 1)

    def to_relax(self, relax: Any, xs: Tensors, values: tuple[Any, ...], weights: dict[str, Any]) -> Any:
        (x,) = xs
        op, axis, channels = relax.op, axis_index(self.axis, x) + 1, seen_along(self.axis, x).channels
        kept = op.strided_slice(values[0], [axis], [0], [channels // 2])
        gate = op.strided_slice(values[0], [axis], [channels // 2], [channels])
        return op.multiply(kept, op.sigmoid(gate))

    @classmethod
    def recognise(cls, call: Call, xs: Tensors) -> Self | None:
        if call.target != "glu" or len(call["axes"]) != 1:
            return None
        return cls(axis=axis_name(call["axes"][0], xs[0]))
