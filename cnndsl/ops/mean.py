"""Mean along axes."""

from __future__ import annotations

from typing import ClassVar, Self, final

from cnndsl.ir.axes import behind_channels
from cnndsl.ir.call import Call
from cnndsl.ir.op import Tensors, register
from cnndsl.ir.shared.reducing import Reducing


@final
@register
class Mean(Reducing):
    """Average along one axis or several: `Mean(1)`, `Mean(1, 2, 3)`.

    Axes are counted from 0 without the batch. They go away, unless `keep` leaves them at size 1. A tensor always has
    channels: `Mean(channels)` leaves one.
    """

    word: ClassVar = "Mean"
    examples: ClassVar = (
        ("Mean(1, 2)", (4, 5, 6)),
        ("Mean(1)", (2, 3, 4, 5)),
        ("Mean(2, keep=true)", (3, 5, 6)),
        ("Mean(channels)", (4, 5, 6)),
        ("Mean(channels, 1, 2)", (4, 5, 6)),
        ("ToTokens → Mean(0)", (3, 4, 5)),
    )

    @classmethod
    def recognise(cls, call: Call, xs: Tensors) -> Self | None:
        (x,) = xs[:1]
        if call.target == "mean" and call["axes"] == behind_channels(x) and call["keepdim"] == (x.kind != "tokens"):
            return None  # The mean of all positions is `GlobalAvgPool`.
        return super().recognise(call, xs)
