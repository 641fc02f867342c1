"""The places of a figure of volumes: each with its boxes in space, and what is written above and below them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from math import prod, sqrt

from cnndsl.backends.drawing.colours.palette import Palette
from cnndsl.backends.drawing.diagram.caption import SPELT, essentials, shape, word
from cnndsl.backends.drawing.diagram.diagram import Box, Folded
from cnndsl.backends.drawing.diagram.trunk import Trunk
from cnndsl.backends.drawing.figures.solid import Solid
from cnndsl.backends.drawing.words.numbers import Numbers
from cnndsl.ir.graph import Graph
from cnndsl.ir.tensor import TensorType

SLABS = 4
"""Alike rounds are drawn as so many boxes one behind the other at most; of more rounds three are drawn, with their number."""
BETWEEN = 3.0
Skip = tuple[int, int]


@dataclass(frozen=True)
class Stage:
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


@dataclass(frozen=True)
class Place:
    """Where a stage stands on paper: the middle of its column and of its row, in points."""

    stage: Stage
    x: float
    middle: float
    level: int

    @property
    def left(self) -> float:
        """Where its first box begins."""
        return self.x - self.stage.width / 2

    @property
    def right(self) -> float:
        """Where its last box ends."""
        return self.x + self.stage.width / 2

    @property
    def top(self) -> float:
        """The highest point of its boxes."""
        return self.middle - self.stage.solids[-1].rise / 2

    @property
    def bottom(self) -> float:
        """The lowest point of its boxes."""
        return self.middle + self.stage.solids[0].rise / 2


def stages(graph: Graph, row: Trunk, colours: Palette) -> Iterator[Stage]:
    """A place for the input and for each box of the row."""
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
    yield Stage(row.input.key, (solid(given),), str(given), (row.input.name,), facts, *look, None, given.size, False)
    for box in row.boxes:
        kinds = _types(graph, row, box)
        shown = kinds if len(kinds) <= SLABS else kinds[-3:]
        if isinstance(box, Folded):
            words = tuple(w for w in (box.label or box.title, box.title if box.label else "") if w) or ("repeat",)
            facts, pair, bare = numbers.group(box), (colours.depths[0], colours.arrow), False
        else:
            rest = [word(c.node) for c in box.cells if c is not box.head and c.node.op.category != "shape"]
            words = (
                f"{SPELT.get(box.head.node.op.symbol) or word(box.head.node)} {essentials(box.head.node)}".strip(),
            )
            words += (" ".join(rest),) if rest else ()
            facts = "\n".join(numbers.op(cell.nodes) for cell in box.cells)
            pair = colours.fills[box.head.node.op.category]
            bare = _bare(box)
        if len(kinds) > 1:
            words = (words[0] + f" ×{len(kinds)}", *words[1:])
        solids = tuple(map(solid, shown))
        last = kinds[-1]
        yield Stage(box.key, solids, shape(kinds), words, facts, *pair, _window(graph, box), last.size, bare)


def merged(every: list[Stage], row: Trunk) -> tuple[list[Stage], tuple[Skip, ...]]:
    """The stages that show a box of their own, and the skips between them. A bare stage becomes a word under the one before."""
    kept: list[Stage] = []
    place = []
    for stage in every:
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


def scale(graph: Graph, row: Trunk) -> str:
    """What the lengths of edges stand for, in a sentence."""
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
