"""The figure that papers use: feature maps as boxes in space, as in those of LeNet, AlexNet and VGG; a U-Net as a U."""

from __future__ import annotations

from cnndsl.backends.drawing.colours.palette import Palette
from cnndsl.backends.drawing.colours.theme import PALETTES, Theme
from cnndsl.backends.drawing.diagram.trunk import Trunk, trunk
from cnndsl.backends.drawing.figures.canvas import Figure, Group, Polygon, Shape, Text
from cnndsl.backends.drawing.figures.clear import clearance
from cnndsl.backends.drawing.figures.levels import levels
from cnndsl.backends.drawing.figures.links import arcs, links, steps
from cnndsl.backends.drawing.figures.stages import BETWEEN, Place, Stage, merged, scale, stages
from cnndsl.backends.drawing.words.description import description
from cnndsl.ir.graph import Graph

GAP, MARGIN, ROW = 16.0, 14.0, 26.0


def volumes(graph: Graph, *, depth: int | None = None, theme: Theme = "light", note: bool = True) -> Figure:
    """Feature maps as boxes in space, for a network in which each block reads the one before it.

    `depth` levels of blocks are opened; without it as many as there are no branches in and a page has room for. Raises
    `CnnError` (not-a-row) for a network with branches, which says at what depth it would do. `draw_figure` writes it.

    All edges follow the square root of what they stand for, each kind with a scale of its own: height and width of
    maps, channels, units of vectors. A larger number never has a shorter edge. A `note` under the figure says so. Heads
    that are not drawn are named there in any case.
    """
    row = trunk(graph, depth)
    colours = PALETTES[theme]
    every, skips = merged(list(stages(graph, row, colours)), row)
    places = _placed(every, levels(every, skips))
    drawn, reach = _labelled(places, links(places, colours), colours)
    arched, top = arcs(skips, places, [r[0] for r in reach], colours)
    groups = [*drawn, Group(tuple(links(places, colours)))]
    groups += [Group(tuple(steps(places, reach, colours))), Group(tuple(arched))]
    bottom = max(low for _, low in reach) + 4
    for text in _notes(graph, row, note):
        bottom += 14
        groups.append(Group((Text(MARGIN, bottom, text, colours.quiet, 8, "start"),)))
    texts = [shape for group in groups for shape in group.shapes if isinstance(shape, Text)]
    width = max(t.x + (t.width if t.anchor == "start" else t.width / 2) for t in texts)
    width = max(width, *(place.right for place in places)) + MARGIN
    title, up = f"Feature maps of {graph.name}", MARGIN - top
    moved = tuple(Group(tuple(s.moved(0, up) for s in g.shapes), g.key, g.facts) for g in groups)
    return Figure(title, description(graph), width, bottom + up + MARGIN, colours.paper, moved)


def _notes(graph: Graph, row: Trunk, note: bool) -> list[str]:
    said = [scale(graph, row)] if note else []
    if row.beside:
        outputs = "outputs" if len(row.beside) > 1 else "output"
        said.append(f"Not drawn: the {outputs} {', '.join(row.beside)}, and what leads to nothing else.")
    return said


def _placed(every: list[Stage], deep: list[int]) -> list[Place]:
    """Where each stands: in its row from left to right, and in a U straight below or above the one before where the row changes."""
    free = [MARGIN] * (max(deep) + 1)
    centres: list[float] = []
    for stage, level in zip(every, deep, strict=True):
        column = max([stage.width, _wide(stage.above, 8.5), *(_wide(t, 9) for t in stage.below)])
        at = free[level] + column / 2
        if centres and deep[len(centres) - 1] != level:
            at = max(at, centres[-1])
        centres.append(at)
        free[level] = at + column / 2 + GAP
    heights = []
    for level in range(max(deep) + 1):
        inside = [stage for stage, own in zip(every, deep, strict=True) if own == level]
        rise = max(stage.solids[0].rise for stage in inside)
        heights.append(rise + 20 + max(12 * len(stage.below) for stage in inside) + ROW)
    middles = [sum(heights[:level]) + heights[level] / 2 for level in range(len(heights))]
    return [Place(s, x, middles[level], level) for s, x, level in zip(every, centres, deep, strict=True)]


def _wide(text: str, size: float) -> float:
    return Text(0, 0, text, "", size, bold=True).width


def _labelled(
    places: list[Place], lines: list[Shape], colours: Palette
) -> tuple[list[Group], list[tuple[float, float]]]:
    """The boxes with their texts where no line crosses them, and how high and how low each place then reaches."""
    groups, reach = [], []
    for place in places:
        stage, at = place.stage, place.x
        shapes = _solids(place)
        size = Text(at, place.top - 5, stage.above, colours.quiet, 8.5)
        half = size.width / 2
        up = clearance(at - half, at + half, size.y - 8, size.y + 1, lines, -1)
        base, half = place.bottom + 12, max((_wide(text, 9) / 2 for text in stage.below), default=0.0)
        last = base + 11 * (len(stage.below) - 1)
        down = clearance(at - half, at + half, base - 8, last + 2, lines, 1)
        shapes.append(size.moved(0, up))
        for number, text in enumerate(stage.below):
            ink, type = (colours.text, 9) if number == 0 else (colours.quiet, 8)
            shapes.append(Text(at, base + 11 * number + down, text, ink, type, bold=number == 0))
        groups.append(Group(tuple(shapes), stage.key, stage.facts))
        reach.append((size.y - 9 + up, last + 3 + down))
    return groups, reach


def _solids(place: Place) -> list[Shape]:
    shapes: list[Shape] = []
    x, stage = place.left, place.stage
    for solid in stage.solids:
        for number, points in enumerate(solid.faces(x, place.middle)):
            shapes.append(Polygon(points, stage.fill, stage.line))
            if number:
                # The top and the right face lie in shadow: they get the line's colour over the fill.
                shapes.append(Polygon(points, stage.line, None, opacity=(0.18, 0.42)[number - 1]))
        x += solid.front + BETWEEN
    return shapes
