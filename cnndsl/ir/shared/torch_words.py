"""What several layers say to PyTorch in the same way. Torch itself is handed in, as to every op."""

from __future__ import annotations

from typing import Any

from cnndsl.ir.tensor import TensorType
from cnndsl.ir.window import Window


def short(numbers: tuple[int, ...]) -> int | tuple[int, ...]:
    """`3` for `(3, 3)`: torch takes one number for every axis, and a person would write it."""
    return numbers[0] if len(set(numbers)) == 1 else numbers


def pads_from_the_last(window: Window) -> list[int]:
    """The window's padding in the order of `torch.nn.functional.pad`: before and after the last axis comes first."""
    return [n for pair in zip(reversed(window.before), reversed(window.after), strict=True) for n in pair]


def over_channels(module: Any, value: Any, x: TensorType) -> Any:
    """A torch module that works on the last axis, applied to the channels of a batched value, on whatever axis they are."""
    axis = x.channel_axis + 1
    return module(value) if axis == len(x.shape) else module(value.movedim(axis, -1)).movedim(-1, axis)


def per_channel(weight: Any, x: TensorType) -> Any:
    """A vector of one number a channel, shaped to stretch over a batched value of type `x`."""
    return weight.reshape(-1, *x.per_channel[1:])
