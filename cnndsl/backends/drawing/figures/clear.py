"""Room for text: how far a block of lines has to move so that no drawn line crosses it."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise

from cnndsl.backends.drawing.figures.canvas import Line, Point, Polygon, Shape

AIR = 3.0
"""Points between a text and a line."""


def clearance(left: float, right: float, top: float, bottom: float, shapes: Iterable[Shape], way: int) -> float:
    """How far a rectangle must go down (`way` 1) or up (-1) until no line or outline among the shapes passes through it."""
    spans = [
        span
        for shape in shapes
        for one, other in _segments(shape)
        if (span := _within(one, other, left - 2, right + 2))
    ]
    moved = 0.0
    while hit := [s for s in spans if s[0] < bottom + moved + AIR and s[1] > top + moved - AIR]:
        moved = max(s[1] for s in hit) + AIR - top if way > 0 else min(s[0] for s in hit) - AIR - bottom
    return moved


def _segments(shape: Shape) -> list[tuple[Point, Point]]:
    if isinstance(shape, Line):
        return list(pairwise(shape.points))
    return list(pairwise((*shape.points, shape.points[0]))) if isinstance(shape, Polygon) else []


def _within(one: Point, other: Point, left: float, right: float) -> tuple[float, float] | None:
    """The least and largest y of the part of a segment that lies between two verticals; None where there is none."""
    (x0, y0), (x1, y1) = sorted((one, other))
    if x1 <= left or x0 >= right:
        return None
    at = [
        y0 + (y1 - y0) * (min(max(x, x0), x1) - x0) / (x1 - x0) if x1 > x0 else y for x, y in ((left, y0), (right, y1))
    ]
    return min(at), max(at)
