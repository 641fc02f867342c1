"""By which angles positions turn pairs of numbers: in rotary position embedding, and in waves of sines and cosines."""

from __future__ import annotations

from dataclasses import dataclass
from math import pi
from typing import Any, Literal

Counted = Literal["index", "centred", "turn"]
Order = Literal["yx", "xy"]
_LEAST = 1e-6


@dataclass(frozen=True)
class Turning:
    """Angles of positions × pairs: a position's place along an axis times the frequency of a pair.

    Each axis has as many pairs. The frequencies of `count` pairs are `base^(-j / count)`, from 1 down.
    """

    sizes: tuple[int, ...]
    count: int
    """How many pairs turn by the place along one axis."""
    base: float
    counted: Counted = "index"
    """`index`: places are 0, 1, 2 and so on. `centred`: from the middle, the whole axis being two turns long. `turn`: from 1,
    the whole axis being one turn long."""
    offset: float = 0.0
    grid: tuple[int, ...] | None = None
    """The sizes of the map whose places are spread over this one, where it is another."""
    order: Order = "yx"

    def _places(self, axis: int, arrays: Any, kind: dict[str, Any]) -> Any:
        """One for each position along an axis."""
        length, grid = self.sizes[axis], (self.grid or self.sizes)[axis]
        places = arrays.arange(length, **kind)
        if self.counted == "centred":
            return (places + (self.offset + 0.5)) * (4 * pi / length) - 2 * pi
        if self.counted == "turn":
            return (places + (self.offset + 1)) * (2 * pi / (length + _LEAST))
        places = places + self.offset if self.offset else places
        return places * (grid / length) if grid != length else places

    @property
    def axes(self) -> tuple[int, ...]:
        """The axes in the order of their pairs."""
        axes = tuple(range(len(self.sizes)))
        return axes if self.order == "yx" else axes[::-1]

    def _along(self, arrays: Any, kind: dict[str, Any]) -> list[Any]:
        """For each axis in the order of the pairs, the angles of its positions: positions × pairs."""
        frequencies = self.base ** (arrays.arange(self.count, **kind) / -self.count)
        return [arrays.outer(self._places(axis, arrays, kind), frequencies) for axis in self.axes]

    def in_torch(self, torch: Any, device: Any) -> Any:
        """The angles as a float32 tensor with an axis for each axis of the map, and the pairs last."""
        along, rank = self._along(torch, {"dtype": torch.float32, "device": device}), len(self.sizes)
        if rank == 1:
            return along[0]
        parts = []
        for axis, turned in zip(self.axes, along, strict=True):
            laid = turned
            for _ in self.sizes[axis + 1 :]:
                laid = laid.unsqueeze(-2)
            parts.append(laid.expand(*self.sizes, self.count))
        return torch.cat(parts, -1)

    def angles(self) -> Any:
        """The same as a NumPy array of float64."""
        import numpy as np

        parts, rank = [], len(self.sizes)
        for axis, turned in zip(self.axes, self._along(np, {}), strict=True):
            laid = turned.reshape(*(self.sizes[n] if n == axis else 1 for n in range(rank)), self.count)
            parts.append(np.broadcast_to(laid, (*self.sizes, self.count)))
        return np.concatenate(parts, axis=-1)
