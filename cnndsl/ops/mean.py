"""Mean along axes."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal, final

from pydantic import BeforeValidator

from cnndsl.diagnostics.errors import Refusal
from cnndsl.ir.arguments import whole
from cnndsl.ir.axes import axis_index, behind_channels
from cnndsl.ir.op import Op, Tensors, register
from cnndsl.ir.reach import Reach
from cnndsl.ir.refusals import refuse_indices
from cnndsl.ir.tensor import TensorType
from cnndsl.ir.written import show


def _axes(value: Any) -> Any:
    items = value if isinstance(value, tuple | list) else (value,)
    return tuple(item if item == "channels" else whole(item, 0) for item in items)


@final
@register
class Mean(Op):
    """Average along one axis or several: `Mean(1)`, `Mean(1, 2, 3)`.

    Axes are counted from 0 without the batch. They go away, unless `keep` leaves them at size 1. A tensor always has
    channels: `Mean(channels)` leaves one.
    """

    word: ClassVar = "Mean"
    category: ClassVar = "pooling"
    variadic: ClassVar = True
    examples: ClassVar = (
        ("Mean(1, 2)", (4, 5, 6)),
        ("Mean(1)", (2, 3, 4, 5)),
        ("Mean(2, keep=true)", (3, 5, 6)),
        ("Mean(channels)", (4, 5, 6)),
        ("Mean(channels, 1, 2)", (4, 5, 6)),
        ("ToTokens → Mean(0)", (3, 4, 5)),
    )

    axis: Annotated[tuple[Literal["channels"] | int, ...], BeforeValidator(_axes)]
    """The axes to average along: numbers from 0 without the batch, or `channels`."""
    keep: bool = False
    """Whether the averaged axes stay, at size 1."""

    def _indices(self, x: TensorType) -> tuple[int, ...]:
        axes = tuple(axis_index(axis, x) for axis in self.axis)
        if not axes or len(set(axes)) != len(axes):
            raise Refusal(
                "out-of-range",
                f"`Mean` takes each axis of {x} at most once",
                argument="axis",
                notes=(f"expected one axis or several, found {show(self.axis)}",),
                help="name each axis once: `Mean(1, 2)`",
            )
        return tuple(sorted(axes))

    def _stays(self, x: TensorType, axis: int) -> bool:
        return self.keep or axis == x.channel_axis or axis not in self._indices(x)

    def infer(self, xs: Tensors) -> TensorType:
        (x,) = xs
        refuse_indices(x, self.word)
        axes = self._indices(x)
        kept = [n for n in range(len(x.shape)) if self._stays(x, n)]
        shape = tuple(1 if n in axes else x.shape[n] for n in kept)
        return TensorType(shape=shape, dtype=x.dtype, channel_axis=kept.index(x.channel_axis))

    def sees_all(self, x: TensorType) -> bool:
        return x.kind != "vector" and set(behind_channels(x)) <= set(self._indices(x))

    def reach(self, xs: Tensors, y: TensorType, index: int) -> tuple[Reach, ...] | None:
        """Along an averaged axis that stays, the one position sees all."""
        (x,) = xs
        axes, behind = self._indices(x), behind_channels(x)
        if self.sees_all(x) or not set(axes) & set(behind):
            return None
        return tuple(
            Reach(0, 0, x.shape[n] - 1, i) if n in axes else Reach(1, 0, 0, i)
            for i, n in enumerate(behind)
            if self._stays(x, n)
        )

    def arithmetic(self, xs: Tensors, y: TensorType) -> int:
        (x,) = xs
        return x.elements

    def call_torch(self, torch: Any, module: Any, xs: Tensors, *values: Any) -> Any:
        (x,) = xs
        axes = self._indices(x)
        gone = [n + 1 for n in axes if not self._stays(x, n)]
        left = [n + 1 for n in axes if self._stays(x, n)]
        value = values[0].mean(left, keepdim=True) if left else values[0]
        return value.mean(gone) if gone else value

    def to_relax(self, relax: Any, xs: Tensors, values: tuple[Any, ...], weights: dict[str, Any]) -> Any:
        (x,) = xs
        means = relax.op.mean(values[0], axis=[n + 1 for n in self._indices(x)], keepdims=True)
        return relax.op.reshape(means, (values[0].ty.shape[0], *self.infer((x,)).shape))
