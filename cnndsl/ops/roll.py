"""Rolling."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Self, final

from pydantic import BeforeValidator

from cnndsl.ir.arguments import MOST_SIZE, per_axis, whole
from cnndsl.ir.axes import behind_channels
from cnndsl.ir.call import Call
from cnndsl.ir.op import Op, Tensors, register
from cnndsl.ir.reach import Reach
from cnndsl.ir.shared.refusals import refuse_vector
from cnndsl.ir.tensor import TensorType


def _shift(value: Any) -> Any:
    return tuple(whole(n, -MOST_SIZE) for n in value) if isinstance(value, tuple | list) else whole(value, -MOST_SIZE)


Shift = Annotated[int | tuple[int, ...], BeforeValidator(_shift)]


@final
@register
class Roll(Op):
    """Shift all positions along their axes; what leaves at one end comes back at the other (Liu et al., 2021)."""

    word: ClassVar = "Roll"
    category: ClassVar = "shape"
    examples: ClassVar = (
        ("Roll(1)", (3, 4, 5)),
        ("Roll((-2, 1))", (3, 4, 5)),
        ("Roll((0, 7))", (3, 4, 5)),
        ("Roll(-1)", (3, 6)),
        ("Permute(1, 0) → Roll(2)", (3, 6)),
    )

    shift: Shift
    """How far towards the end, one number for every axis or one for each; the channels stay where they are."""

    def _shifts(self, x: TensorType) -> tuple[int, ...]:
        """The shift along each axis, brought into the range from 0 up to the length of the axis."""
        refuse_vector(x, "`Roll` shifts positions")
        return tuple(s % n for s, n in zip(per_axis(self.shift, x.rank, "shift"), x.size, strict=True))

    def infer(self, xs: Tensors) -> TensorType:
        (x,) = xs
        self._shifts(x)
        return x

    def reach(self, xs: Tensors, y: TensorType, index: int) -> tuple[Reach, ...]:
        """A position sees the one `shift` before it; the first positions see the last ones, a length further on."""
        shifts = zip(self._shifts(y), y.size, strict=True)
        return tuple(
            Reach(1, -s, n - s, axis, even=False) if s else Reach(1, 0, 0, axis) for axis, (s, n) in enumerate(shifts)
        )

    def call_torch(self, torch: Any, module: Any, xs: Tensors, *values: Any) -> Any:
        (x,) = xs
        dims = tuple(n + 1 for n in behind_channels(x))
        return torch.roll(values[0], self._shifts(x), dims)

    def to_relax(self, relax: Any, xs: Tensors, values: tuple[Any, ...], weights: dict[str, Any]) -> Any:
        (x,) = xs
        y = values[0]
        for axis, s in zip(behind_channels(x), self._shifts(x), strict=True):
            if s:
                n = x.shape[axis]
                ends = relax.op.strided_slice(y, [axis + 1], [n - s], [n])
                y = relax.op.concat([ends, relax.op.strided_slice(y, [axis + 1], [0], [n - s])], axis=axis + 1)
        return y

    @classmethod
    def recognise(cls, call: Call, xs: Tensors) -> Self | None:
        if call.target != "roll":
            return None
        shifts = dict(zip(call["axes"], call["shifts"], strict=True))
        if not set(shifts) <= set(behind_channels(xs[0])):
            return None
        moved = tuple(shifts.get(axis, 0) for axis in behind_channels(xs[0]))
        return cls(shift=moved[0] if len(set(moved)) == 1 else moved)
