"""Zeros."""

from __future__ import annotations

from typing import Any, ClassVar, Self, final

from cnndsl.ir.arguments import Positive
from cnndsl.ir.call import Call
from cnndsl.ir.op import Op, Tensors, register
from cnndsl.ir.shared.refusals import refuse_no_map
from cnndsl.ir.tensor import TensorType


@final
@register
class Zeros(Op):
    """A map of zeros with the sizes of the one that arrives.

    It fills a shortcut up with channels at no cost in weights, ResNet's "option A" (He et al., 2015):
    `cat{ id | Zeros(16) }`.
    """

    word: ClassVar = "Zeros"
    category: ClassVar = "shape"
    examples: ClassVar = (
        ("cat{ id | Zeros(2) }", (3, 4, 5)),
        ("MaxPool → cat{ Zeros(1) | id | Zeros(3) }", (3, 8)),
    )

    channels: Positive
    """Channels of the map of zeros."""

    def infer(self, xs: Tensors) -> TensorType:
        (x,) = xs
        refuse_no_map(x, self.word)
        return x.with_channels(self.channels)

    def call_torch(self, torch: Any, module: Any, xs: Tensors, *values: Any) -> Any:
        (x,) = xs
        (value,) = values
        return value.new_zeros((value.shape[0], self.channels, *x.size))

    def to_relax(self, relax: Any, xs: Tensors, values: tuple[Any, ...], weights: dict[str, Any]) -> Any:
        (x,) = xs
        return relax.op.zeros((values[0].ty.shape[0], self.channels, *x.size), x.dtype)

    @classmethod
    def recognise(cls, call: Call, xs: Tensors) -> Self | None:
        return cls(channels=call.shape[0]) if call.target == "zeros" else None
