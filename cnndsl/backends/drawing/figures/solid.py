"""A box in space, in cabinet projection: its front is channels × height, its depth runs back to the right."""

from __future__ import annotations

from dataclasses import dataclass
from math import cos, radians, sin

from cnndsl.backends.drawing.figures.canvas import Point

BACK = (0.45 * cos(radians(40)), 0.45 * sin(radians(40)))
"""How far one unit of depth goes to the right and up."""


@dataclass(frozen=True)
class Solid:
    """Edges of a box: `front` is its thickness on paper, `high` its height, `deep` what runs into the page."""

    front: float
    high: float
    deep: float

    @property
    def shift(self) -> Point:
        """How far the corners of the back lie from those of the front: to the right, and up."""
        return BACK[0] * self.deep, BACK[1] * self.deep

    @property
    def rise(self) -> float:
        """The height of the whole thing on paper."""
        return self.high + self.shift[1]

    def faces(self, x: float, middle: float) -> tuple[tuple[Point, ...], ...]:
        """The front, top and right face. The front begins at `x`, and the middle of the whole lies on the line `middle`."""
        right, up = self.shift
        bottom = middle + self.rise / 2
        top = bottom - self.high
        a, b, c, d = (x, top), (x + self.front, top), (x + self.front, bottom), (x, bottom)
        back = [(px + right, py - up) for px, py in (a, b, c)]
        return (a, b, c, d), (a, back[0], back[1], b), (b, back[1], back[2], c)

    def patch(self, edge: float, middle: float, window: tuple[int, ...], size: tuple[int, ...]) -> tuple[Point, ...]:
        """Corners of a window (height, width) in the middle of the right face, which begins at `edge`; never so small
        that its lines run together."""
        right, up = self.shift
        bottom = middle + self.rise / 2
        part = [min(1.0, max(w / n, 0.08)) for w, n in zip(window, size, strict=True)]
        rows = [bottom - self.high * (0.5 + side * part[0] / 2) for side in (1, -1)]
        columns = [0.5 + side * part[1] / 2 for side in (-1, 1)]
        return tuple((edge + right * c, row - up * c) for row in rows for c in columns)
