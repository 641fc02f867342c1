"""Concatenation of branches."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal, final

from pydantic import BeforeValidator

from cnndsl.errors import Refusal
from cnndsl.ir.arguments import whole
from cnndsl.ir.broadcast import mismatch
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

    axis: Annotated[Literal["channels"] | int, BeforeValidator(lambda v: v if v == "channels" else whole(v, 0))] = (
        "channels"
    )
    """`channels`, or an axis counted from 0 without the batch."""

    def _axis(self, x: TensorType) -> int:
        axis = x.channel_axis if self.axis == "channels" else self.axis
        if axis >= len(x.shape):
            raise Refusal(
                "out-of-range",
                f"there is no axis {axis} in {x}",
                argument="axis",
                notes=(f"expected 0 to {len(x.shape) - 1}, found {axis}",),
                help="leave `axis` out to join channels",
            )
        return axis

    def infer(self, *xs: TensorType) -> TensorType:
        first = xs[0]
        axis = self._axis(first)
        for index, x in enumerate(xs):
            same = len(x.shape) == len(first.shape) and x.channel_axis == first.channel_axis and x.dtype == first.dtype
            if not same or any(a != b for i, (a, b) in enumerate(zip(first.shape, x.shape, strict=True)) if i != axis):
                raise mismatch("concatenate", xs, index)
        joined = sum(x.shape[axis] for x in xs)
        shape = (*first.shape[:axis], joined, *first.shape[axis + 1 :])
        return TensorType(shape=shape, dtype=first.dtype, channel_axis=first.channel_axis)

    def reach(self, xs: Tensors, y: TensorType, index: int) -> tuple[Reach, ...] | None:
        """Along the joined axis a branch stands behind the ones before it."""
        axis = self._axis(y)
        if axis == y.channel_axis:
            return None
        offset = sum(x.shape[axis] for x in xs[:index])
        behind = [n for n in range(len(y.shape)) if n != y.channel_axis]
        return tuple(Reach(1, -offset, -offset, i) if n == axis else Reach(1, 0, 0, i) for i, n in enumerate(behind))

    def call_torch(self, torch: Any, module: Any, xs: Tensors, *values: Any) -> Any:
        return torch.cat(list(values), dim=self._axis(xs[0]) + 1)

    def to_relax(self, relax: Any, xs: Tensors, values: tuple[Any, ...], weights: dict[str, Any]) -> Any:
        return relax.op.concat(list(values), axis=self._axis(xs[0]) + 1)
