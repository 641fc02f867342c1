"""Slices."""

from __future__ import annotations

from typing import Any, ClassVar, Self, final

from cnndsl.diagnostics.errors import Refusal
from cnndsl.ir.arguments import Natural, Positive
from cnndsl.ir.axes import Axis, axis_index, behind_channels
from cnndsl.ir.call import Call
from cnndsl.ir.op import Op, Tensors, register
from cnndsl.ir.reach import Reach
from cnndsl.ir.tensor import TensorType


@final
@register
class Slice(Op):
    """Keep the positions from `start` up to `stop`, which is left out: `Slice(0, 16)` keeps the first 16 channels.

    Without an axis it keeps channels of a map or vector, and tokens where tokens arrive: `Slice(0, 1)` keeps the class token.
    """

    word: ClassVar = "Slice"
    category: ClassVar = "shape"
    examples: ClassVar = (
        ("Slice(1, 3)", (4, 5, 6)),
        ("Slice(2, 5, axis=2)", (4, 5, 6)),
        ("Slice(0, 3)", (7,)),
        ("Permute(1, 0) → Slice(0, 1)", (4, 6)),
        ("Permute(1, 0) → Slice(1, 3, axis=channels)", (4, 6)),
    )

    start: Natural
    """The first position kept, counted from 0."""
    stop: Positive
    """The first position after those kept."""
    axis: Axis | None = None
    """`channels`, or an axis counted from 0 without the batch; when left out, the channels, or the tokens where tokens arrive."""

    def _axis(self, x: TensorType) -> int:
        if self.axis is None:
            return 0 if x.kind == "tokens" else x.channel_axis
        return axis_index(self.axis, x)

    def infer(self, xs: Tensors) -> TensorType:
        (x,) = xs
        axis = self._axis(x)
        length = x.shape[axis]
        if not self.start < self.stop <= length:
            what = "channels" if axis == x.channel_axis else "tokens" if x.kind == "tokens" else "positions"
            bound = f"at most {length}" if self.stop > length else f"more than {self.start}"
            raise Refusal(
                "out-of-range",
                f"{length} {what} have none from {self.start} up to {self.stop}"
                if self.start >= min(self.stop, length)
                else f"{length} {what} end before {self.stop}",
                argument="stop",
                notes=(f"expected {bound}, found {self.stop}",),
                help=f"write `Slice({min(self.start, length - 1)}, {length})` for all that follow",
            )
        shape = (*x.shape[:axis], self.stop - self.start, *x.shape[axis + 1 :])
        return TensorType(shape=shape, dtype=x.dtype, channel_axis=x.channel_axis)

    def reach(self, xs: Tensors, y: TensorType, index: int) -> tuple[Reach, ...]:
        """Along the sliced axis positions move by `start`; along the others they stay."""
        starts = [self.start if n == self._axis(y) else 0 for n in behind_channels(y)]
        return tuple(Reach(1, start, start, axis) for axis, start in enumerate(starts))

    def channel_sources(self, xs: Tensors) -> tuple[tuple[int, int], ...] | None:
        (x,) = xs
        if self._axis(x) != x.channel_axis:
            return None
        return tuple((0, channel) for channel in range(self.start, self.stop))

    def call_torch(self, torch: Any, module: Any, xs: Tensors, *values: Any) -> Any:
        (x,) = xs
        before = (slice(None),) * (self._axis(x) + 1)
        return values[0][(*before, slice(self.start, self.stop))]

    def to_relax(self, relax: Any, xs: Tensors, values: tuple[Any, ...], weights: dict[str, Any]) -> Any:
        (x,) = xs
        return relax.op.strided_slice(values[0], [self._axis(x) + 1], [self.start], [self.stop])

    @classmethod
    def recognise(cls, call: Call, xs: Tensors) -> Self | None:
        if call.target != "slice" or call["step"] != 1:
            return None
        usual = 0 if xs[0].kind == "tokens" else xs[0].channel_axis
        axis: Axis | None = (
            None if call["axis"] == usual else "channels" if call["axis"] == xs[0].channel_axis else call["axis"]
        )
        return cls(start=call["start"], stop=call["stop"], axis=axis)
