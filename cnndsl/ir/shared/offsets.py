"""Where the positions of a map lie from each other, as places in a table of biases."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from cnndsl.ir.arguments import Axes, per_axis

Layout = Literal["swin", "levit"]
"""`swin`: one row for each offset and one column for each head. `levit`: one row for each head and one column for each
distance down and to the right, whatever the direction."""


@dataclass(frozen=True)
class Offsets:
    """For each pair of an asking and an answering position of a map, the place in a table, counted from 0.

    Positions are in reading order. Of the asking ones, only every `stride`-th along each axis counts.
    """

    height: int
    width: int
    layout: Layout
    stride: int
    flat: bool
    """Whether the places lie on one axis, asking position by asking position, and not on two."""

    @property
    def places(self) -> int:
        """How many places the table has."""
        if self.layout == "levit":
            return self.height * self.width
        return (2 * self.height - 1) * (2 * self.width - 1)

    @property
    def pairs(self) -> tuple[int, int]:
        """How many positions ask, and how many answer."""
        asking = -(-self.height // self.stride) * -(-self.width // self.stride)
        return asking, self.height * self.width

    @property
    def shape(self) -> tuple[int, ...]:
        asking, answering = self.pairs
        return (asking * answering,) if self.flat else (asking, answering)

    def __call__(self, arrays: Any) -> Any:
        """The places, as int64. `arrays` is the vocabulary that makes them: `numpy`, `torch`, or a recorder of either."""
        down, right = self._apart(arrays, self.height), self._apart(arrays, self.width)
        if self.layout == "swin":
            down, right = (down + (self.height - 1)) * (2 * self.width - 1), right + (self.width - 1)
        else:
            down, right = arrays.abs(down) * self.width, arrays.abs(right)
        return (down[:, None, :, None] + right[:, None]).reshape(*self.shape)

    def _apart(self, arrays: Any, length: int) -> Any:
        """How far each asking position of an axis lies behind each answering one."""
        steps = {"step": self.stride} if self.stride > 1 else {}
        asking = arrays.arange(0, length, **steps) if steps else arrays.arange(length)
        return asking[:, None] - arrays.arange(length)

    def biases(self, torch: Any, tables: Any) -> Any:
        """N×asking×answering from N×places, without a list of places: windows over the table, turned round, since asking
        row y and answering row v meet at the offset y - v. Axes before the places stay as they are."""
        height, width, s = self.height, self.width, self.stride
        if self.layout == "swin":
            offsets = tables.unflatten(-1, (2 * height - 1, 2 * width - 1))
        else:
            near = tables.unflatten(-1, (height, width))
            down = torch.cat([near[..., 1:, :].flip(-2), near], -2) if height > 1 else near
            offsets = torch.cat([down[..., 1:].flip(-1), down], -1) if width > 1 else down
        windows = offsets.unfold(-2, height, 1).unfold(-2, width, 1).flip(-2, -1)
        if s > 1:
            windows = windows[..., ::s, ::s, :, :]
        return windows.flatten(-4, -3).flatten(-2)


def offsets(size: Axes, layout: Layout, stride: int, *, flat: bool = False) -> Offsets:
    """The offsets of a map of this `size`. Raises `Refusal` where it has another number of axes than two."""
    height, width = per_axis(size, 2, "size")
    return Offsets(height, width, layout, stride, flat)
