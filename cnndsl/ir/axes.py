"""Arguments that choose among a tensor's axes, or give their lengths."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator
from pydantic_core import PydanticCustomError

from cnndsl.diagnostics.errors import Refusal
from cnndsl.ir.arguments import per_axis, whole
from cnndsl.ir.tensor import TensorType

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
