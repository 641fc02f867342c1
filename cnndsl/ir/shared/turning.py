"""By which angles rotary position embedding turns the channels of a map's positions."""

from __future__ import annotations

from dataclasses import dataclass
from math import pi
from typing import Any, Literal

Counted = Literal["index", "centred"]
Order = Literal["yx", "xy"]


@dataclass(frozen=True)
class Turning:
    """Angles of positions × pairs: a position's place along an axis times the frequency of a pair of channels.

    Each axis has as many pairs. The frequencies of `count` pairs are `base^(-j / count)`, from 1 down.
    """

    sizes: tuple[int, ...]
    count: int
    """How many pairs of channels turn by the place along one axis."""
    base: float
    counted: Counted
    """`index`: places are 0, 1, 2 and so on. `centred`: from the middle, the whole axis being two turns long."""
    offset: float
    grid: tuple[int, ...]
    """The sizes of the map whose places are spread over this one."""
    order: Order

    def frequencies(self, arrays: Any, **kind: Any) -> Any:
        """One for each pair. `arrays` is the vocabulary that makes them: `numpy`, `torch`, or a recorder of either."""
        return self.base ** (arrays.arange(self.count, **kind) / -self.count)

    def places(self, axis: int, arrays: Any, **kind: Any) -> Any:
        """One for each position along an axis."""
        length, grid = self.sizes[axis], self.grid[axis]
        places = arrays.arange(length, **kind)
        if self.counted == "centred":
            return (places + (self.offset + 0.5)) * (4 * pi / length) - 2 * pi
        places = places + self.offset if self.offset else places
        return places * (grid / length) if grid != length else places

    @property
    def axes(self) -> tuple[int, ...]:
        """The axes in the order of their pairs."""
        axes = tuple(range(len(self.sizes)))
        return axes if self.order == "yx" else axes[::-1]

    def angles(self) -> Any:
        """A NumPy array of positions × pairs, as float64; positions are in reading order."""
        import numpy as np

        frequencies = self.frequencies(np)
        rank = len(self.sizes)
        parts = []
        for axis in self.axes:
            turned = np.outer(self.places(axis, np), frequencies)
            laid = turned.reshape(*(self.sizes[n] if n == axis else 1 for n in range(rank)), self.count)
            parts.append(np.broadcast_to(laid, (*self.sizes, self.count)).reshape(-1, self.count))
        return np.concatenate(parts, axis=1)
