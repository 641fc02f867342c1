"""Channel shuffle."""

from __future__ import annotations

from typing import Any, ClassVar, Self, final

from cnndsl.ir.arguments import Positive
from cnndsl.ir.call import Call
from cnndsl.ir.op import Op, Tensors, register
from cnndsl.ir.shared.refusals import refuse_groups, refuse_no_map
from cnndsl.ir.tensor import TensorType


@final
@register
class ChannelShuffle(Op):
    """Deal the channels out again: the first of each group, then the second of each, and so on.

    ShuffleNet has it between grouped convolutions, so that each group sees channels of every group before it
    (Zhang et al., 2017).
    """

    word: ClassVar = "ChannelShuffle"
    category: ClassVar = "shape"
    examples: ClassVar = (
        ("ChannelShuffle(2)", (6, 4, 5)),
        ("ChannelShuffle(3)", (6, 5)),
        ("ChannelShuffle(2)", (4, 2, 3, 4)),
    )

    groups: Positive
    """The parts into which the channels are divided."""

    def infer(self, xs: Tensors) -> TensorType:
        (x,) = xs
        refuse_no_map(x, self.word)
        refuse_groups(self.groups, x.channels, help="ChannelShuffle({})")
        return x

    def channel_sources(self, xs: Tensors) -> tuple[tuple[int, int], ...]:
        (x,) = xs
        per_group = x.channels // self.groups
        return tuple((0, c % self.groups * per_group + c // self.groups) for c in range(x.channels))

    def to_torch(self, nn: Any, xs: Tensors) -> Any:
        return nn.ChannelShuffle(self.groups)

    def to_relax(self, relax: Any, xs: Tensors, values: tuple[Any, ...], weights: dict[str, Any]) -> Any:
        (x,) = xs
        batch = values[0].ty.shape[0]
        groups = relax.op.reshape(values[0], (batch, self.groups, x.channels // self.groups, *x.size))
        dealt = relax.op.permute_dims(groups, [0, 2, 1, *range(3, 3 + x.rank)])
        return relax.op.reshape(dealt, (batch, *x.shape))

    @classmethod
    def recognise(cls, call: Call, xs: Tensors) -> Self | None:
        return cls(groups=call["groups"]) if call.target == "channel_shuffle" else None
