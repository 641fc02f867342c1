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
    items = value if isinstance(value, tuple | list) else (value,)
    return tuple(whole(item, 0) for item in items)


@final
@register
class Reorder(Op):
    """The channels in the order given: `Reorder([2, 1, 0])` makes BGR of RGB. It takes no position among the layers."""

    word: ClassVar = "Reorder"
    category: ClassVar = "shape"
    variadic: ClassVar = True
    takes_position: ClassVar = False
    examples: ClassVar = (
        ("Reorder([2, 1, 0])", (3, 4, 5)),
        ("Reorder(1, 0)", (2,)),
        ("ToTokens → Reorder([1, 2, 0])", (3, 4, 5)),
    )

    order: Annotated[tuple[int, ...], BeforeValidator(_order)]
    """For each channel of the output, the channel of the input that it is."""

    def infer(self, xs: Tensors) -> TensorType:
        (x,) = xs
        if sorted(self.order) != list(range(x.channels)):
            raise Refusal(
                "out-of-range",
                f"{show(self.order)} is no order of the {x.channels} channels of {x}",
                argument="order",
                notes=(f"expected each of 0 to {x.channels - 1} once, found {show(self.order)}",),
                help="name every channel once; `Slice` takes some of them",
            )
        return x

    def call_torch(self, torch: Any, module: Any, xs: Tensors, *values: Any) -> Any:
        (x,) = xs
        before = (slice(None),) * (x.channel_axis + 1)
        return values[0][(*before, list(self.order))]

    def to_relax(self, relax: Any, xs: Tensors, values: tuple[Any, ...], weights: dict[str, Any]) -> Any:
        (x,) = xs
        return relax.op.take(values[0], relax.const(list(self.order), "int64"), axis=x.channel_axis + 1, mode="clip")
