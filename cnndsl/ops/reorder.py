"""Channels in another order."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, final

from pydantic import BeforeValidator

from cnndsl.diagnostics.errors import Refusal
from cnndsl.ir.arguments import whole
from cnndsl.ir.op import Op, Tensors, register
from cnndsl.ir.tensor import TensorType
from cnndsl.ir.written import show


def _order(value: Any) -> Any:
    return tuple(whole(item, 0) for item in (value if isinstance(value, tuple | list) else (value,)))


ChannelOrder = Annotated[tuple[int, ...], BeforeValidator(_order)]


@final
@register
class Reorder(Op):
    """Put the channels in another order: `Reorder(2, 1, 0)` brings a picture from red, green, blue to blue, green, red.

    Constants, no weights; it takes no position among the layers, so that a network with it has the names of one without.
    """

    word: ClassVar = "Reorder"
    category: ClassVar = "shape"
    variadic: ClassVar = True
    takes_position: ClassVar = False
    examples: ClassVar = (
        ("Reorder(2, 1, 0)", (3, 5, 6)),
        ("Reorder(1, 0)", (2, 8)),
        ("ToTokens → Reorder([2, 0, 1])", (3, 4, 5)),
    )

    order: ChannelOrder
    """For each channel of the output, the channel of the input that it is, counted from 0."""

    def infer(self, xs: Tensors) -> TensorType:
        (x,) = xs
        if sorted(self.order) != list(range(x.channels)):
            raise Refusal(
                "out-of-range",
                f"{show(self.order)} is no order of {x.channels} channels",
                argument="order",
                notes=(f"expected each of 0 to {x.channels - 1} once, found {show(self.order)}",),
                help="name every channel once; `Slice` keeps some of them",
            )
        return x

    def channel_sources(self, xs: Tensors) -> tuple[tuple[int, int], ...]:
        return tuple((0, channel) for channel in self.order)

    def call_torch(self, torch: Any, module: Any, xs: Tensors, *values: Any) -> Any:
        (x,) = xs
        return values[0][(*(slice(None),) * (x.channel_axis + 1), list(self.order))]

    def to_relax(self, relax: Any, xs: Tensors, values: tuple[Any, ...], weights: dict[str, Any]) -> Any:
        (x,) = xs
        order = relax.const(list(self.order), "int64")
        return relax.op.take(values[0], order, axis=x.channel_axis + 1, mode="clip")
