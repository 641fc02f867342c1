"""Arguments that choose among a tensor's axes, or give their lengths."""

from __future__ import annotations

from typing import Annotated, Any, Literal, NamedTuple

from pydantic import BeforeValidator
from pydantic_core import PydanticCustomError

from cnndsl.diagnostics.errors import Refusal
from cnndsl.ir.arguments import per_axis, whole
from cnndsl.ir.reach import Reach
from cnndsl.ir.tensor import TensorType
from cnndsl.ir.written import show

Axis = Annotated[Literal["channels"] | int, BeforeValidator(lambda v: v if v == "channels" else whole(v, 0))]
"""`channels`, or an axis counted from 0 without the batch."""


def _sizes(value: Any) -> Any:
    if value is None:
        return None
    if isinstance(value, tuple | list) and all(type(n) is int and n > 0 for n in value):
        return tuple(value)
    raise PydanticCustomError("wrong-type", "expected a named tensor or `in`, found another value")


Sizes = Annotated[tuple[int, ...], BeforeValidator(_sizes)]
"""The sizes of a tensor named by `like=`, the channels aside."""


def axis_name(axis: int, x: TensorType) -> Literal["channels"] | int:
    """An axis as a person names it: `channels` for theirs."""
    return "channels" if axis == x.channel_axis else axis


def axis_index(axis: Literal["channels"] | int, x: TensorType) -> int:
    """The axis as an index into `x.shape`. Raises `out-of-range` where there is none."""
    if axis == "channels":
        return x.channel_axis
    if axis >= len(x.shape):
        raise Refusal(
            "out-of-range",
            f"there is no axis {axis} in {x}",
            argument="axis",
            notes=(f"expected 0 to {len(x.shape) - 1}, found {axis}",),
            help="leave `axis` out for the channels",
        )
    return axis


def behind_channels(x: TensorType) -> tuple[int, ...]:
    """The axes that are not channels, in order, as indices into `x.shape`."""
    return tuple(n for n in range(len(x.shape)) if n != x.channel_axis)


def pooled(x: TensorType) -> TensorType:
    """One position for each channel: a map keeps its axes at size 1, so that it can weigh another; tokens become a vector."""
    return TensorType(shape=(x.channels,), dtype=x.dtype) if x.kind == "tokens" else x.resized((1,) * x.rank)


def asked_size(
    x: TensorType, word: str, size: int | tuple[int, ...] | None, like: Sizes | None
) -> tuple[int, ...] | None:
    """The size that `size=` or `like=` asks for; None where neither is given. Raises `repeated-argument`, `wrong-rank`."""
    if size is not None and like is not None:
        raise Refusal(
            "repeated-argument",
            f"`{word}` takes its size from `size` or from `like`",
            argument="like",
            notes=("expected one of them, found both",),
            help="delete one of them",
        )
    if like is None:
        return None if size is None else per_axis(size, x.rank, "size")
    if len(like) != x.rank:
        raise Refusal(
            "wrong-rank",
            f"`like` has {len(like)} axes beside its channels, where the input has {x.rank}",
            argument="like",
            notes=(f"expected a tensor with {x.rank} of them, found {len(like)}",),
            help="name a tensor with as many axes as the input",
        )
    return like


def _reduced(value: Any) -> Any:
    items = value if isinstance(value, tuple | list) else (value,)
    return tuple(item if item == "channels" else whole(item, 0) for item in items)


ReducedAxes = Annotated[tuple[Literal["channels"] | int, ...], BeforeValidator(_reduced)]
"""The axes that a mean or a sum goes along: numbers from 0 without the batch, or `channels`."""


class Reduction(NamedTuple):
    """A mean or a sum along the axes `axes` of `x`. They go away, unless `keep` leaves them at size 1; the axis of the
    channels always stays."""

    x: TensorType
    axes: tuple[int, ...]
    keep: bool

    def _stays(self, axis: int) -> bool:
        return self.keep or axis == self.x.channel_axis or axis not in self.axes

    @property
    def staying(self) -> list[int]:
        """The batched axes that are left at size 1."""
        return [axis + 1 for axis in self.axes if self._stays(axis)]

    @property
    def going(self) -> list[int]:
        """The batched axes that go away, as they are counted before any does."""
        return [axis + 1 for axis in self.axes if not self._stays(axis)]

    @property
    def type(self) -> TensorType:
        """The type of the result."""
        kept = [n for n in range(len(self.x.shape)) if self._stays(n)]
        shape = tuple(1 if n in self.axes else self.x.shape[n] for n in kept)
        return TensorType(shape=shape, dtype=self.x.dtype, channel_axis=kept.index(self.x.channel_axis))

    @property
    def sees_all(self) -> bool:
        """Whether a position of the result depends on every position of `x`."""
        return self.x.kind != "vector" and set(behind_channels(self.x)) <= set(self.axes)

    @property
    def reach(self) -> tuple[Reach, ...] | None:
        """Along a reduced axis that stays, the one position sees all."""
        behind = behind_channels(self.x)
        if self.sees_all or not set(self.axes) & set(behind):
            return None
        return tuple(
            Reach(0, 0, self.x.shape[n] - 1, i) if n in self.axes else Reach(1, 0, 0, i)
            for i, n in enumerate(behind)
            if self._stays(n)
        )


def reduction(x: TensorType, word: str, axis: tuple[Literal["channels"] | int, ...], keep: bool) -> Reduction:
    """The reduction that a layer's arguments ask for. Raises `out-of-range` for axes that are not there or named twice."""
    axes = tuple(axis_index(one, x) for one in axis)
    if not axes or len(set(axes)) != len(axes):
        raise Refusal(
            "out-of-range",
            f"`{word}` takes each axis of {x} at most once",
            argument="axis",
            notes=(f"expected one axis or several, found {show(axis)}",),
            help=f"name each axis once: `{word}(1, 2)`",
        )
    return Reduction(x, tuple(sorted(axes)), keep)


def seen_along(axis: Literal["channels"] | int, x: TensorType) -> TensorType:
    """The type with this axis in the place of the channels. Raises `out-of-range` where there is no such axis."""
    if axis == "channels":
        return x
    return TensorType(shape=x.shape, dtype=x.dtype, channel_axis=axis_index(axis, x))


def with_length(axis: Literal["channels"] | int, x: TensorType, length: int) -> TensorType:
    """The type with another length along one axis."""
    shape = seen_along(axis, x).with_channels(length).shape
    return TensorType(shape=shape, dtype=x.dtype, channel_axis=x.channel_axis)


def reach_along(axis: Literal["channels"] | int, x: TensorType) -> tuple[Reach, ...] | None:
    """What positions see where those along one axis are mixed with each other; None where that is the channels."""
    along = axis_index(axis, x)
    if along == x.channel_axis:
        return None
    behind = behind_channels(x)
    return tuple(Reach(0, 0, x.shape[n] - 1, i) if n == along else Reach(1, 0, 0, i) for i, n in enumerate(behind))
