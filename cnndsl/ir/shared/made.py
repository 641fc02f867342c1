"""What layers share that make a tensor of their own, of a shape that the program says."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BeforeValidator
from pydantic_core import PydanticCustomError

from cnndsl.ir.arguments import whole
from cnndsl.ir.tensor import MOST_AXES, TensorType
from cnndsl.ir.written import show


def _lengths(value: Any) -> Any:
    items = value if isinstance(value, tuple | list) else (value,)
    if not 1 <= len(items) <= MOST_AXES:
        raise PydanticCustomError(
            "out-of-range", "expected one to six lengths, such as [64, 1, 1], found {found}", {"found": show(value)}
        )
    return tuple(whole(item) for item in items)


Lengths = Annotated[tuple[int, ...], BeforeValidator(_lengths)]
"""The length of each axis, without the batch."""


def beside(x: TensorType, shape: tuple[int, ...]) -> TensorType:
    """The type of a tensor of this shape beside x: its channels are the last axis where those of x are, else the first."""
    last = x.rank > 0 and x.channel_axis == x.rank
    return TensorType(shape=shape, channel_axis=len(shape) - 1 if last else 0)
