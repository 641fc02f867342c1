"""The figure that papers use: feature maps as boxes in space, as in those of LeNet, AlexNet and VGG."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from math import prod, sqrt

from cnndsl.backends.drawing.colours.palette import Palette
from cnndsl.backends.drawing.colours.theme import PALETTES, Theme
from cnndsl.backends.drawing.diagram.caption import essentials, shape, word
from cnndsl.backends.drawing.diagram.diagram import Box, Folded
from cnndsl.backends.drawing.diagram.trunk import Trunk, trunk
from cnndsl.backends.drawing.figures.canvas import Figure, Group, Line, Polygon, Shape, Text
from cnndsl.backends.drawing.figures.solid import Solid
from cnndsl.backends.drawing.words.description import description
from cnndsl.backends.drawing.words.numbers import Numbers
from cnndsl.ir.graph import Graph
from cnndsl.ir.tensor import TensorType

SLABS = 4
"""Alike rounds are drawn as so many boxes one behind the other at most; of more rounds three are drawn, with their number."""
Skip = tuple[int, int]
GAP, MARGIN, BETWEEN = 16.0, 14.0, 3.0


@dataclass(frozen=True)
class _Stage:
    """A place in the row: its boxes in space, what is written above and below."""

    key: str
    solids: tuple[Solid, ...]
    above: str
    below: tuple[str, ...]
    facts: str
    fill: str
    line: str
    window: tuple[int, ...] | None
    size: tuple[int, ...]
    bare: bool
    """Whether its layers only look at the same values in another way, as Flatten does, or pass them on, as Dropout does."""

    @property
    def width(self) -> float:
        return sum(s.front for s in self.solids) + BETWEEN * (len(self.solids) - 1) + self.solids[-1].shift[0]


def volumes(graph: Graph, *, depth: int | None = None, theme: Theme = "light") -> Figure:
    """Feature maps as boxes in space, for a network in which each block reads the one before it.

    `depth` levels of blocks are opened; without it as many as there are no branches in and a page has room for. Raises
    `CnnError` (not-a-row) for a network with branches, which says at what depth it would do. `draw_figure` writes it.

    All edges follow the square root of what they stand for, each kind with a scale of its own: height and width of
    maps, channels, units of vectors. A larger number never has a shorter edge.
    """
    row = trunk(graph, depth)
    colours = PALETTES[theme]
    stages, skips = _merged(list(_stages(graph, row, colours)), row)
    middle, xs, x = MARGIN + 12 + max(s.solids[0].rise for s in stages) / 2, [], MARGIN
    arcs = 12.0 * max((_level(skip, skips) for skip in skips), default=0)
    middle += arcs
    columns = [max([s.width, _wide(s.above, 8.5), *(_wide(t, 9) for t in s.below)]) for s in stages]
    for column in columns:
        xs.append(x + column / 2)
        x += column + GAP
    groups = [_drawn(stage, at, middle, colours) for stage, at in zip(stages, xs, strict=True)]
    groups.append(Group(tuple(_links(stages, xs, middle, colours))))
    groups.append(Group(tuple(_arcs(skips, stages, xs, middle, colours))))
    bottom = middle + max(s.solids[0].rise / 2 + 12 * len(s.below) for s in stages) + 10
    note = Text(MARGIN, bottom + 14, _scale(graph, row), colours.quiet, 8, "start")
    groups.append(Group((note,)))
    width = max(x - GAP + MARGIN, note.width + 2 * MARGIN)
    title = f"Feature maps of {graph.name}"
    return Figure(title, description(graph), width, bottom + 14 + MARGIN, colours.paper, tuple(groups))


def _stages(graph: Graph, row: Trunk, colours: Palette) -> Iterator[_Stage]:
    numbers = Numbers(graph)
    types = _shown(graph, row)
    sides = max((n for t in types for n in _extent(t)[1:] if not _flat(t)), default=1)
    channels = max((_extent(t)[0] for t in types if not _flat(t)), default=1)
    units = max((t.elements for t in types if _flat(t)), default=1)

    def solid(type: TensorType) -> Solid:
        if _flat(type):
            return Solid(9.0, max(4.0, 130 * sqrt(type.elements / units)), 8.0)
        thick, high, deep = _extent(type)
        return Solid(max(2.0, 44 * sqrt(thick / channels)), *(max(4.0, 150 * sqrt(n / sides)) for n in (high, deep)))

    given = graph.types[row.input.node]
    look = (colours.depths[0], colours.arrow)
    facts = numbers.port(row.input, "input")
    yield _Stage(row.input.key, (solid(given),), str(given), (row.input.name,), facts, *look, None, given.size, False)
    for box in row.boxes:
        kinds = _types(graph, row, box)
        shown = kinds if len(kinds) <= SLABS else kinds[-3:]
        if isinstance(box, Folded):
            words = tuple(w for w in (box.label or box.title, box.title if box.label else "") if w) or ("repeat",)
            facts, pair, bare = numbers.group(box), (colours.depths[0], colours.arrow), False
        else:
            rest = [word(c.node) for c in box.cells if c is not box.head and c.node.op.category != "shape"]
            words = (f"{box.head.node.op.symbol or word(box.head.node)} {essentials(box.head.node)}".strip(),)
            words += (" ".join(rest),) if rest else ()
            facts = "\n".join(numbers.op(cell.nodes) for cell in box.cells)
            pair = colours.fills[box.head.node.op.category]
            bare = _bare(box)
        if len(kinds) > 1:
            words = (words[0] + f" ×{len(kinds)}", *words[1:])
        solids = tuple(map(solid, shown))
        last = kinds[-1]
        yield _Stage(box.key, solids, shape(kinds), words, facts, *pair, _window(graph, box), last.size, bare)


def _merged(stages: list[_Stage], row: Trunk) -> tuple[list[_Stage], tuple[Skip, ...]]:
    """The stages that show a box of their own, and the skips between them. A bare stage becomes a word under the one before."""
    kept: list[_Stage] = []
    place = []
    for stage in stages:
        if stage.bare:
            under = (*kept[-1].below, *stage.below)
            kept[-1] = replace(kept[-1], below=under, facts=f"{kept[-1].facts}\n{stage.facts}")
        else:
            kept.append(stage)
        place.append(len(kept) - 1)
    pairs = {(place[tail], place[head]) for tail, head in row.skips}
    return kept, tuple(sorted((tail, head) for tail, head in pairs if head - tail > 1))


def _bare(box: Box | Folded) -> bool:
    return isinstance(box, Box) and all(cell.node.op.view for cell in box.cells)


def _shown(graph: Graph, row: Trunk) -> list[TensorType]:
    """The types that have a box of their own."""
    return [graph.types[row.input.node], *(t for box in row.boxes if not _bare(box) for t in _types(graph, row, box))]


def _types(graph: Graph, row: Trunk, box: Box | Folded) -> list[TensorType]:
    """What a box hands on, round by round."""
    if isinstance(box, Folded):
        return [graph.types[row.hands[box.key]]] * box.times
    return [node.type for node in box.cells[-1].nodes]


def _flat(type: TensorType) -> bool:
    """Whether it is drawn as a column: a vector, or a map of one position."""
    return prod(type.size) == 1


def _extent(type: TensorType) -> tuple[int, int, int]:
    """Channels (with the frames of a clip, which have no axis left), height, width."""
    size = type.size
    if len(size) < 2:
        return type.channels, prod(size), 1
    return type.channels * prod(size[:-2]), size[-2], size[-1]


def _window(graph: Graph, box: Box | Folded) -> tuple[int, ...] | None:
    if isinstance(box, Folded) or box.head.node.op.merges:
        return None
    window = box.head.node.op.window_over(graph.input_types(box.head.node)[0])
    return window.extent if window and len(window.extent) == 2 else None


def _wide(text: str, size: float) -> float:
    return Text(0, 0, text, "", size, bold=True).width


def _left(stage: _Stage, at: float) -> float:
    return at - stage.width / 2


def _drawn(stage: _Stage, at: float, middle: float, colours: Palette) -> Group:
    shapes: list[Shape] = []
    x = _left(stage, at)
    for solid in stage.solids:
        for number, points in enumerate(solid.faces(x, middle)):
            shapes.append(Polygon(points, stage.fill, stage.line))
            if number:
                # The top and the right face lie in shadow: they get the line's colour over the fill.
                shapes.append(Polygon(points, stage.line, None, opacity=(0.18, 0.42)[number - 1]))
        x += solid.front + BETWEEN
    top = middle - stage.solids[-1].rise / 2
    shapes.append(Text(at, top - 5, stage.above, colours.quiet, 8.5))
    base = middle + stage.solids[0].rise / 2
    for number, text in enumerate(stage.below):
        ink = colours.text if number == 0 else colours.quiet
        shapes.append(Text(at, base + 12 + 11 * number, text, ink, 9 if number == 0 else 8, bold=number == 0))
    return Group(tuple(shapes), stage.key, stage.facts)


def _links(stages: list[_Stage], xs: list[float], middle: float, colours: Palette) -> Iterator[Shape]:
    """What leads from each box to the next: lines from a window to the position that sees it, an arrow, or the edges of a column."""
    for number in range(len(stages) - 1):
        stage, following = stages[number], stages[number + 1]
        solid, target = stage.solids[-1], following.solids[0]
        start = _left(stage, xs[number]) + stage.width - solid.shift[0]
        end = _left(following, xs[number + 1])
        low = middle + target.rise / 2 - target.high
        if following.window and len(stage.size) == 2:
            corners = solid.patch(start, middle, following.window, stage.size)
            point = (end, low + target.high / 2)
            yield Polygon((corners[0], corners[1], corners[3], corners[2]), None, colours.text, 0.6)
            for corner in corners:
                yield Line((corner, point), colours.text, 0.5)
        elif stage.size and prod(stage.size) > 1 and prod(following.size) > 1:
            edge = start + solid.shift[0] / 2
            yield Line(((edge, middle), (end - 5, middle)), colours.arrow)
            yield Polygon(((end, middle), (end - 6, middle - 2.5), (end - 6, middle + 2.5)), colours.arrow)
        else:
            edge = start + solid.shift[0]
            yield Line(((edge, middle - solid.rise / 2), (end, low)), colours.outline, 0.7)
            yield Line(((start, middle + solid.rise / 2), (end, low + target.high)), colours.outline, 0.7)


def _level(skip: Skip, skips: tuple[Skip, ...]) -> int:
    """How many arcs lie under this one, itself included."""
    inside = [s for s in skips if s != skip and skip[0] <= s[0] and s[1] <= skip[1]]
    return 1 + max((_level(s, skips) for s in inside), default=0)


def _arcs(
    skips: tuple[Skip, ...], stages: list[_Stage], xs: list[float], middle: float, colours: Palette
) -> Iterator[Shape]:
    top = middle - max(s.solids[0].rise for s in stages) / 2 - 16
    for skip in skips:
        tail, head = skip
        high = top - 12 * (_level(skip, skips) - 1)
        ends = [(xs[n] + side, middle - stages[n].solids[-1].rise / 2 - 18) for n, side in ((tail, 4), (head, -4))]
        (x0, y0), (x1, y1) = ends
        yield Line(((x0, y0), (x0, high), (x1, high), (x1, y1)), colours.skip, 1.2)
        yield Polygon(((x1, y1 + 3), (x1 - 2.6, y1 - 3), (x1 + 2.6, y1 - 3)), colours.skip)


def _scale(graph: Graph, row: Trunk) -> str:
    types = _shown(graph, row)
    maps, flat = [t for t in types if not _flat(t)], [t for t in types if _flat(t)]
    said = []
    if maps:
        said.append(f"sides up to {max(n for t in maps for n in _extent(t)[1:])}")
        frames = " times frames" if any(len(t.size) > 2 for t in maps) else ""
        said.append(f"channels{frames} up to {max(_extent(t)[0] for t in maps)}")
    if flat:
        said.append(f"columns up to {max(t.elements for t in flat)} units")
    return f"Edges follow the square root of sizes: {', '.join(said)}."
