"""Variants of which none is better in both of two figures: the Pareto front, and its plot."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, floor, log10

from cnndsl.backends.drawing.colours.theme import PALETTES, Theme
from cnndsl.backends.drawing.figures.canvas import Figure, Group, Line, Polygon, Text

WIDTH, HEIGHT = 640.0, 420.0
LEFT, RIGHT, TOP, BOTTOM = 70.0, 20.0, 40.0, 46.0
DECADES = 1.3
"""Powers of ten from which an axis is logarithmic."""
LABEL = 9.0
MOST_LABELS = 24


@dataclass(frozen=True)
class Point:
    """A variant by two figures, less of `x` and more of `y` being better."""

    x: float
    y: float
    words: str


def front(points: Sequence[Point]) -> list[Point]:
    """The points that no other beats in both figures, by rising `x`."""
    found: list[Point] = []
    for point in sorted(points, key=lambda p: (p.x, -p.y)):
        if not found or point.y > found[-1].y:
            found.append(point)
    return found


def plot(points: Sequence[Point], title: str, x: str, y: str, theme: Theme = "light") -> Figure:
    """All points, the front as a line of steps with its variants named. `x` and `y` are what the axes are called."""
    colours = PALETTES[theme]
    best = front(points)
    across = _Axis([p.x for p in points], LEFT, WIDTH - RIGHT)
    up = _Axis([p.y for p in points], HEIGHT - BOTTOM, TOP)
    groups = [Group((Text(LEFT, 22, title, colours.text, 12, "start", bold=True),))]
    groups += [_rule(across.at(tick), None, tick, colours.outline, colours.quiet) for tick in across.ticks()]
    groups += [_rule(None, up.at(tick), tick, colours.outline, colours.quiet) for tick in up.ticks()]
    groups.append(Group((Text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 10, x, colours.text, 10),)))
    groups.append(Group((Text(LEFT - 6, TOP - 8, y, colours.text, 10, "end"),)))
    chosen = {id(point) for point in best}
    fill, line = colours.fills["convolution"]
    for point in points:
        if id(point) not in chosen:
            groups.append(_dot(across.at(point.x), up.at(point.y), 3, fill, line, point, x, y))
    if len(best) > 1:
        steps = [(across.at(best[0].x), up.at(best[0].y))]
        for point in best[1:]:
            steps += [(across.at(point.x), steps[-1][1]), (across.at(point.x), up.at(point.y))]
        groups.append(Group((Line(tuple(steps), colours.skip, 1.2),)))
    groups += [_dot(across.at(p.x), up.at(p.y), 4, colours.skip, colours.paper, p, x, y) for p in best]
    groups += _labels(best, across, up, colours.text)
    described = f"{len(points)} variants, {len(best)} of them on the front of {y} against {x}"
    return Figure(title, described, WIDTH, HEIGHT, colours.paper, tuple(groups))


def _rule(x: float | None, y: float | None, tick: float, line: str, ink: str) -> Group:
    """A thin line across the plot at a round number, with the number at its end."""
    if x is not None:
        ends, text = ((x, TOP), (x, HEIGHT - BOTTOM)), Text(x, HEIGHT - BOTTOM + 14, _short(tick), ink, LABEL)
    else:
        at = y or 0.0
        ends, text = ((LEFT, at), (WIDTH - RIGHT, at)), Text(LEFT - 6, at + 3, _short(tick), ink, LABEL, "end")
    return Group((Line(ends, line, 0.5), text))


def _dot(x: float, y: float, radius: float, fill: str, line: str, point: Point, across: str, up: str) -> Group:
    corner = 0.4142 * radius
    corners = [(radius, corner), (corner, radius), (-corner, radius), (-radius, corner)]
    shape = tuple((x + a, y + b) for a, b in [*corners, *((-a, -b) for a, b in corners)])
    facts = f"{point.words}\n{across} {point.x:,.10g}\n{up} {point.y:,.10g}"
    return Group((Polygon(shape, fill, line),), facts=facts)


def _labels(best: Sequence[Point], across: _Axis, up: _Axis, colour: str) -> list[Group]:
    """Names of the points on the front, as many as have room: the ends first, then what lies between."""
    placed: list[tuple[float, float, float]] = []
    found: list[Group] = []
    order = [*best[:1], *best[-1:], *best[1:-1]] if len(best) > 1 else list(best)
    for point in order[: 10 * MOST_LABELS]:
        x, y = across.at(point.x), up.at(point.y)
        text = Text(x + 7, y + 12, point.words, colour, LABEL, "start")
        if x + 7 + text.width > WIDTH - RIGHT:
            text = Text(x - 7, y - 6, point.words, colour, LABEL, "end")
        start = text.x if text.anchor == "start" else text.x - text.width
        if any(abs(text.y - b) < LABEL + 3 and start < end and a < start + text.width for a, b, end in placed):
            continue
        if len(found) == MOST_LABELS:
            break
        placed.append((start, text.y, start + text.width))
        found.append(Group((text,)))
    return found


class _Axis:
    """A scale from figures to points; logarithmic where they span more than a power of ten."""

    def __init__(self, values: Sequence[float], start: float, end: float) -> None:
        low, high = min(values), max(values)
        self.log = low > 0 and log10(high / low) > DECADES
        first, last = (log10(low), log10(high)) if self.log else (low, high)
        margin = 0.05 * (last - first) or abs(last) * 0.05 or 1
        self._first, self._last = first - margin, last + margin
        self._start, self._end = start, end

    def at(self, value: float) -> float:
        place = log10(value) if self.log else value
        return self._start + (self._end - self._start) * (place - self._first) / (self._last - self._first)

    def ticks(self) -> list[float]:
        """Round numbers inside the axis."""
        if self.log:
            powers = range(floor(self._first), ceil(self._last) + 1)
            found = [factor * 10.0**power for power in powers for factor in (1, 2, 5)]
            return [tick for tick in found if self._first <= log10(tick) <= self._last]
        rough = (self._last - self._first) / 6
        power = 10.0 ** floor(log10(rough))
        step = next(factor * power for factor in (1, 2, 5, 10) if factor * power >= rough)
        return [n * step for n in range(ceil(self._first / step), floor(self._last / step) + 1)]


def _short(value: float) -> str:
    """A number on an axis: `300M`."""
    for size, unit in ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "K")):
        if abs(value) >= size:
            return f"{value / size:.4g}{unit}"
    return f"{value:.4g}"
