"""The type of a tensor: its shape without the batch axis, where its channels are, its dtype."""

from __future__ import annotations

from math import prod
from typing import Literal

from pydantic import BaseModel, ConfigDict

from cnndsl.ir.written import sizes

BYTES = {
    "float32": 4,
    "float64": 8,
    "float16": 2,
    "bfloat16": 2,
    "int64": 8,
    "int32": 4,
    "int8": 1,
    "uint8": 1,
    "bool": 1,
}

MARK = "ᶜ"
"""What is written behind the channels where they are not the first axis."""

MOST_AXES = 6
"""How many axes a tensor has at the most, behind the batch."""

Kind = Literal["vector", "tokens", "map"]


class TensorType(BaseModel):
    """Shape without batch, of up to six axes. A *map* has its channels first, *tokens*
    are N×C, a *vector* has channels alone."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")

    shape: tuple[int, ...]
    dtype: str = "float32"
    channel_axis: int = 0

    @property
    def kind(self) -> Kind:
        if len(self.shape) == 1:
            return "vector"
        return "tokens" if len(self.shape) == 2 and self.channel_axis == 1 else "map"

    @property
    def channels(self) -> int:
        return self.shape[self.channel_axis]

    @property
    def size(self) -> tuple[int, ...]:
        """The axes that are not channels, in order."""
        return self.shape[: self.channel_axis] + self.shape[self.channel_axis + 1 :]

    @property
    def rank(self) -> int:
        """The number of axes beside the channels."""
        return len(self.shape) - 1

    @property
    def per_channel(self) -> tuple[int, ...]:
        """The shape of one number for each channel, stretching over the rest: C×1×1 for a map of two axes."""
        return (self.channels, *(1,) * (self.rank - self.channel_axis))

    @property
    def elements(self) -> int:
        return prod(self.shape)

    @property
    def bytes(self) -> int:
        """Memory of one such tensor, batch 1."""
        return self.elements * BYTES[self.dtype]

    def with_channels(self, channels: int) -> TensorType:
        shape = (*self.shape[: self.channel_axis], channels, *self.shape[self.channel_axis + 1 :])
        return TensorType(shape=shape, dtype=self.dtype, channel_axis=self.channel_axis)

    def resized(self, size: tuple[int, ...]) -> TensorType:
        """The same channels over another size."""
        shape = (*size[: self.channel_axis], self.channels, *size[self.channel_axis :])
        return TensorType(shape=shape, dtype=self.dtype, channel_axis=self.channel_axis)

    def __str__(self) -> str:
        """The sizes, the channels marked where they are not the first axis: `16×16×8ᶜ`."""
        marked = self.channel_axis or -1
        return sizes(f"{n}{MARK}" if axis == marked else n for axis, n in enumerate(self.shape))
