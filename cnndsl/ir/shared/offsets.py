"""Where the positions of a map lie from each other, as places in a table of biases."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import Any, Literal

from cnndsl.diagnostics.errors import Refusal
from cnndsl.ir.arguments import Axes, per_axis

Layout = Literal["swin", "levit"]
"""`swin`: one row for each offset and one column for each head. `levit`: one row for each head and one column for each
distance down and to the right, whatever the direction."""


_VIDEO_AXES = 3


@dataclass(frozen=True)
class Offsets:
    """For each pair of an asking and an answering position of a map, the place in a table, counted from 0.

    Positions are in reading order. Of the asking ones, only every `stride`-th along each axis counts.
    """

    sizes: tuple[int, ...]
    """The map's height and width, or its frames, height and width."""
    layout: Layout
    stride: int
    flat: bool
    """Whether the places lie on one axis, asking position by asking position, and not on two."""
    token: bool = False
    """Whether a class token stands before the positions. It has the last three places of the table: what it asks of positions,
    what they ask of it, and what it asks of itself."""

    @property
    def _distances(self) -> int:
        """How many places the table has for pairs of positions."""
        return prod(self.sizes) if self.layout == "levit" else prod(2 * n - 1 for n in self.sizes)

    @property
    def places(self) -> int:
        """How many places the table has."""
        return self._distances + 3 * self.token

    @property
    def pairs(self) -> tuple[int, int]:
        """How many positions ask, and how many answer, with the class token."""
        return prod(-(-n // self.stride) for n in self.sizes) + self.token, prod(self.sizes) + self.token

    @property
    def shape(self) -> tuple[int, ...]:
        asking, answering = self.pairs
        return (asking * answering,) if self.flat else (asking, answering)

    def __call__(self, arrays: Any) -> Any:
        """The places, as int64. `arrays` is the vocabulary that makes them: `numpy`, `torch`, or a recorder of either."""
        swin, rank = self.layout == "swin", len(self.sizes)
        total: Any = None
        for axis, length in enumerate(self.sizes):
            apart = self._apart(arrays, length)
            apart = apart + (length - 1) if swin else arrays.abs(apart)
            step = prod(2 * n - 1 if swin else n for n in self.sizes[axis + 1 :])
            apart = apart * step if step > 1 or axis < rank - 1 else apart
            # Asking positions come first, axis by axis, then those that answer.
            behind = (slice(None), *(None,) * (rank - 1 - axis)) if axis < rank - 1 else ()
            apart = apart[(slice(None), *(None,) * (rank - 1), *behind)]
            total = apart if total is None else total + apart
        return (self._with_token(arrays, total) if self.token else total).reshape(*self.shape)

    def _with_token(self, arrays: Any, places: Any) -> Any:
        """The places with those of the class token as the first row and column."""
        asking, answering = (n - 1 for n in self.pairs)
        first = arrays.concat(
            [arrays.full((1, 1), self._distances + 2), arrays.full((1, answering), self._distances)], 1
        )
        column = arrays.full((asking, 1), self._distances + 1)
        return arrays.concat([first, arrays.concat([column, places.reshape(asking, answering)], 1)], 0)

    def _apart(self, arrays: Any, length: int) -> Any:
        """How far each asking position of an axis lies behind each answering one."""
        steps = {"step": self.stride} if self.stride > 1 else {}
        asking = arrays.arange(0, length, **steps) if steps else arrays.arange(length)
        return asking[:, None] - arrays.arange(length)

    def biases(self, torch: Any, tables: Any) -> Any:
        """N×asking×answering from N×places, without a list of places: windows over the table, turned round, since asking
        row y and answering row v meet at the offset y - v. Axes before the places stay as they are."""
        rank, s = len(self.sizes), self.stride
        own = tables[..., -3:] if self.token else None
        tables = tables[..., :-3] if self.token else tables
        if self.layout == "swin":
            offsets = tables.unflatten(-1, tuple(2 * n - 1 for n in self.sizes))
        else:
            height, width = self.sizes
            near = tables.unflatten(-1, (height, width))
            down = torch.cat([near[..., 1:, :].flip(-2), near], -2) if height > 1 else near
            offsets = torch.cat([down[..., 1:].flip(-1), down], -1) if width > 1 else down
        windows = offsets
        for length in self.sizes:
            windows = windows.unfold(-rank, length, 1)
        windows = windows.flip(*range(-rank, 0))
        if s > 1:
            windows = windows[(..., *(slice(None, None, s),) * rank, *(slice(None),) * rank)]
        biases = windows.flatten(-2 * rank, -rank - 1).flatten(-rank)
        if own is None:
            return biases
        asking, answering = (n - 1 for n in self.pairs)
        first = torch.cat([own[..., 2:], own[..., :1].repeat_interleave(answering, -1)], -1)[..., None, :]
        column = own[..., None, 1:2].repeat_interleave(asking, -2)
        return torch.cat([first, torch.cat([column, biases], -1)], -2)


def offsets(size: Axes, layout: Layout, stride: int, *, flat: bool = False, token: bool = False) -> Offsets:
    """The offsets of a map of this `size`, which has two axes, or three in the layout `swin`. Raises `Refusal` where it has
    another number of axes, and where a class token stands before positions of which not all ask."""
    if token and stride > 1:
        raise Refusal(
            "out-of-range",
            "a class token stands before positions that all ask",
            argument="stride",
            notes=(f"expected `stride=1` with `token=true`, found {stride}",),
            help="delete `stride`, or `token`",
        )
    video = layout == "swin" and isinstance(size, tuple) and len(size) == _VIDEO_AXES
    return Offsets(per_axis(size, _VIDEO_AXES if video else 2, "size"), layout, stride, flat, token)
