"""Exchange of axes."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Self, final

from pydantic import BeforeValidator

from cnndsl.diagnostics.errors import Refusal
from cnndsl.ir.arguments import whole
from cnndsl.ir.axes import behind_channels
from cnndsl.ir.call import Call
from cnndsl.ir.op import Op, Tensors, register
from cnndsl.ir.reach import Reach
from cnndsl.ir.tensor import TensorType
from cnndsl.ir.written import show


def _order(value: Any) -> Any:
    items = value if isinstance(value, tuple | list) else (value,)
    return tuple(whole(item, 0) for item in items)


Order = Annotated[tuple[int, ...], BeforeValidator(_order)]


@final
@register
class Permute(Op):
    """Put the axes in another order. The layers behind it know on which axis the channels then are.

    Axes are counted from 0 without the batch: `Permute(1, 2, 0)` puts the channels of a map last, `Permute(2, 0, 1)` first
    again. `Permute((1, 2, 0))` is the same.
    """

    word: ClassVar = "Permute"
    category: ClassVar = "shape"
    variadic: ClassVar = True
    examples: ClassVar = (
        ("Permute(1, 2, 0)", (3, 4, 5)),
        ("Permute(1, 2, 0) → Permute(2, 0, 1)", (3, 4, 5)),
        ("Permute(0, 2, 1)", (3, 4, 5)),
        ("Permute((1, 0))", (4, 6)),
        ("Permute(0, 3, 1, 2)", (2, 3, 4, 5)),
    )

    axes: Order
    """For each axis of the output, the axis of the input that it is."""

    def infer(self, xs: Tensors) -> TensorType:
        (x,) = xs
        if sorted(self.axes) != list(range(len(x.shape))):
            raise Refusal(
                "out-of-range",
                f"{show(self.axes)} is no order of the axes of {x}",
                argument="axes",
                notes=(f"expected each of 0 to {len(x.shape) - 1} once, found {show(self.axes)}",),
                help=f"write `Permute({', '.join(map(str, [*range(1, len(x.shape)), 0]))})` to put the first axis last",
            )
        shape = tuple(x.shape[axis] for axis in self.axes)
        return TensorType(shape=shape, dtype=x.dtype, channel_axis=self.axes.index(x.channel_axis))

    def reach(self, xs: Tensors, y: TensorType, index: int) -> tuple[Reach, ...]:
        (x,) = xs
        behind = behind_channels(x)
        return tuple(Reach(1, 0, 0, behind.index(self.axes[n])) for n in behind_channels(y))

    def call_torch(self, torch: Any, module: Any, xs: Tensors, *values: Any) -> Any:
        return values[0].permute(0, *(axis + 1 for axis in self.axes))

    def to_relax(self, relax: Any, xs: Tensors, values: tuple[Any, ...], weights: dict[str, Any]) -> Any:
        return relax.op.permute_dims(values[0], [0, *(axis + 1 for axis in self.axes)])

    @classmethod
    def recognise(cls, call: Call, xs: Tensors) -> Self | None:
        return cls(axes=call["axes"]) if call.target == "permute" and len(call.shape) <= 6 else None
