"""Concatenation of branches."""

from __future__ import annotations

from typing import Any, ClassVar, Self, final

from cnndsl.ir.axes import Axis, axis_index
from cnndsl.ir.broadcast import mismatch
from cnndsl.ir.call import Call
from cnndsl.ir.op import Op, Tensors, register
from cnndsl.ir.reach import Reach
from cnndsl.ir.tensor import TensorType


@final
@register
class Cat(Op):
    """Lay the branches one behind the other, along the channels unless another axis is named."""

    word: ClassVar = "cat"
    category: ClassVar = "merge"
    symbol: ClassVar = "‖"
    merges: ClassVar = True
    takes_position: ClassVar = False
    examples: ClassVar = (
        ("cat{ id | Conv1x1(2) }", (4, 5, 6)),
        ("cat(axis=2){ id | ReLU }", (4, 5, 6)),
        ("cat{ id | id | ReLU }", (7,)),
    )

    axis: Axis = "channels"
    """`channels`, or an axis counted from 0 without the batch."""

    def infer(self, xs: Tensors) -> TensorType:
        first = xs[0]
        axis = axis_index(self.axis, first)
        for index, x in enumerate(xs):
            same = len(x.shape) == len(first.shape) and x.channel_axis == first.channel_axis and x.dtype == first.dtype
            if not same or any(a != b for i, (a, b) in enumerate(zip(first.shape, x.shape, strict=True)) if i != axis):
                raise mismatch("concatenate", xs, index)
        joined = sum(x.shape[axis] for x in xs)
        shape = (*first.shape[:axis], joined, *first.shape[axis + 1 :])
        return TensorType(shape=shape, dtype=first.dtype, channel_axis=first.channel_axis)

    def reach(self, xs: Tensors, y: TensorType, index: int) -> tuple[Reach, ...] | None:
        """Along the joined axis a branch stands behind the ones before it."""
        axis = axis_index(self.axis, y)
        if axis == y.channel_axis:
            return None
        offset = sum(x.shape[axis] for x in xs[:index])
        behind = [n for n in range(len(y.shape)) if n != y.channel_axis]
        return tuple(Reach(1, -offset, -offset, i) if n == axis else Reach(1, 0, 0, i) for i, n in enumerate(behind))

    def channel_sources(self, xs: Tensors) -> tuple[tuple[int, int], ...] | None:
        if axis_index(self.axis, xs[0]) != xs[0].channel_axis:
            return None
        return tuple((index, channel) for index, x in enumerate(xs) for channel in range(x.channels))

    def call_torch(self, torch: Any, module: Any, xs: Tensors, *values: Any) -> Any:
        return torch.cat(list(values), dim=axis_index(self.axis, xs[0]) + 1)

    def to_relax(self, relax: Any, xs: Tensors, values: tuple[Any, ...], weights: dict[str, Any]) -> Any:
        return relax.op.concat(list(values), axis=axis_index(self.axis, xs[0]) + 1)

    @classmethod
    def recognise(cls, call: Call, xs: Tensors) -> Self | None:
        if call.target != "cat" or len(xs) < 2:
            return None
        return cls() if call["axis"] == xs[0].channel_axis else cls(axis=call["axis"])
