"""What leads from feature map to feature map in a figure of volumes: windows, arrows, edges of columns, and skips."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from math import prod

from cnndsl.backends.drawing.colours.palette import Palette
from cnndsl.backends.drawing.figures.canvas import Line, Polygon, Shape
from cnndsl.backends.drawing.figures.stages import Place, Skip


def links(places: Sequence[Place], colours: Palette) -> list[Shape]:
    """From each place to the next in its row: lines from a window to the position that sees it, an arrow, or the edges of
    a column."""
    return [
        shape
        for place, following in pairwise(places)
        if place.level == following.level
        for shape in _link(place, following, colours)
    ]


def _link(place: Place, following: Place, colours: Palette) -> Iterator[Shape]:
    stage, solid, target = place.stage, place.stage.solids[-1], following.stage.solids[0]
    middle, end = place.middle, following.left
    start = place.right - solid.shift[0]
    low = middle + target.rise / 2 - target.high
    window, size = following.stage.window, following.stage.size
    if window and len(stage.size) == 2:
        corners = solid.patch(start, middle, window, stage.size)
        point = (end, low + target.high / 2)
        yield Polygon((corners[0], corners[1], corners[3], corners[2]), None, colours.text, 0.6)
        for corner in corners:
            yield Line((corner, point), colours.text, 0.5)
    elif stage.size and prod(stage.size) > 1 and prod(size) > 1:
        yield Line(((start + solid.shift[0] / 2, middle), (end - 5, middle)), colours.arrow)
        yield Polygon(((end, middle), (end - 6, middle - 2.5), (end - 6, middle + 2.5)), colours.arrow)
    else:
        yield Line(((place.right, middle - solid.rise / 2), (end, low)), colours.outline, 0.7)
        yield Line(((start, middle + solid.rise / 2), (end, low + target.high)), colours.outline, 0.7)


def steps(places: Sequence[Place], reach: Sequence[tuple[float, float]], colours: Palette) -> Iterator[Shape]:
    """Arrows between the rows of a U: from below a place's words down to the next one's, or from above them up."""
    for number, (place, following) in enumerate(pairwise(places)):
        if place.level == following.level:
            continue
        down = following.level > place.level
        start, end = (
            (reach[number][1] + 1, reach[number + 1][0] - 2)
            if down
            else (reach[number][0] - 1, reach[number + 1][1] + 2)
        )
        x, way = following.x, 1 if down else -1
        # An elbow only where the next place does not stand right over or under this one.
        elbow = () if abs(place.x - x) <= place.stage.width / 2 else ((place.x, start),)
        elbow = (*elbow, (x, start))
        yield Line((*elbow, (x, end - 5 * way)), colours.arrow, 1.1)
        yield Polygon(((x, end), (x - 2.5, end - 6 * way), (x + 2.5, end - 6 * way)), colours.arrow)


def arcs(
    skips: Sequence[Skip], places: Sequence[Place], tops: Sequence[float], colours: Palette
) -> tuple[list[Shape], float]:
    """The skips, and how high the figure then reaches: straight where nothing of the row stands between, else over it."""
    shapes: list[Shape] = []
    highest = min(tops)
    for skip in skips:
        tail, head = skip
        one, other = places[tail], places[head]
        between = [n for n in range(tail + 1, head) if places[n].level == one.level]
        if not between and one.level == other.level:
            y, end = one.middle, other.left
            shapes.append(Line(((one.right - one.stage.solids[-1].shift[0] / 2, y), (end - 5, y)), colours.skip, 1.2))
            shapes.append(Polygon(((end, y), (end - 6, y - 2.6), (end - 6, y + 2.6)), colours.skip))
            continue
        row = [n for n in range(tail, head + 1) if places[n].level == one.level]
        high = (
            min(tops[n] for n in row)
            - 4
            - 12 * (_level(skip, skips) if one.level == 0 and len(row) == head - tail + 1 else 1)
        )
        (x0, y0), (x1, y1) = ((places[n].x + side, tops[n]) for n, side in ((tail, 4), (head, -4)))
        shapes.append(Line(((x0, y0 - 2), (x0, high), (x1, high), (x1, y1 - 4)), colours.skip, 1.2))
        shapes.append(Polygon(((x1, y1 - 1), (x1 - 2.6, y1 - 7), (x1 + 2.6, y1 - 7)), colours.skip))
        highest = min(highest, high)
    return shapes, highest


def _level(skip: Skip, skips: Sequence[Skip]) -> int:
    """How many arcs lie under this one, itself included."""
    inside = [s for s in skips if s != skip and skip[0] <= s[0] and s[1] <= skip[1]]
    return 1 + max((_level(s, skips) for s in inside), default=0)
