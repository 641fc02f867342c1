"""The receptive field growing over a picture, and beside it what a trained network really looks at."""

from __future__ import annotations

from io import BytesIO
from typing import TYPE_CHECKING

from cnndsl.backends.drawing.colours.palette import Palette
from cnndsl.backends.drawing.colours.theme import PALETTES, Theme
from cnndsl.backends.drawing.diagram.caption import essentials, word
from cnndsl.backends.drawing.figures.canvas import Figure, Group, Picture, Polygon, Shape, Text
from cnndsl.backends.drawing.figures.widening import Seen, Widening, widening
from cnndsl.diagnostics.errors import MissingPart
from cnndsl.diagnostics.extras import how_to_install
from cnndsl.ir.graph import Graph, Node
from cnndsl.ir.written import sizes

if TYPE_CHECKING:
    import numpy as np

SIDE, MARGIN, ROW = 330.0, 16.0, 15.0
SHARE = 0.95
"""Of the gradient that the dashed square of the effective field holds."""


def fields(graph: Graph, pixels: np.ndarray, *, influence: np.ndarray | None = None, theme: Theme = "light") -> Figure:
    """Over a picture, what the centre position of each layer's map sees of it.

    `pixels` is the picture as uint8, height×width or height×width×3, as large as the network's input or a whole number of times
    larger, so that it is shown sharper than the network sees it. `influence`
    (height×width) is the size of the gradient of the centre of the last map that does not see everything, with respect to
    the picture; with it a second panel shows the effective field. `draw_figure` writes the figure. Raises `CnnError` for a
    network that is not fed pictures, `MissingPart` without Pillow.
    """
    grown, colours = widening(graph), PALETTES[theme]
    times = max(pixels.shape[0] // grown.size[0], 1)
    if pixels.shape[:2] != tuple(side * times for side in grown.size):
        raise ValueError(f"a picture of {grown.size}, grown {pixels.shape[:2]}")
    panel = _Panel(grown, MARGIN, MARGIN + 22)
    groups = [
        Group(
            (
                Text(
                    MARGIN,
                    MARGIN + 8,
                    f"{graph.name}: what the centre of each map sees",
                    colours.text,
                    11,
                    "start",
                    True,
                ),
            )
        )
    ]
    groups.append(Group(panel.picture(pixels, colours)))
    for number, seen in enumerate(grown.rows):
        groups.append(
            Group(
                tuple(panel.box(seen, _colour(grown, number, colours), colours)), f"op:{seen.node.name}", _facts(seen)
            )
        )
    x = MARGIN + panel.width + 18
    legend = list(_legend(grown, x, panel, colours))
    right = max(shape.x + shape.width for shape in legend if isinstance(shape, Text))
    groups.append(Group(tuple(legend)))
    if influence is not None:
        second = _Panel(grown, right + 24, MARGIN + 22)
        groups += _effective(grown, second, pixels, influence, colours)
        right = second.x + max(second.width, 300)
    height = max(panel.y + panel.height + 24, max(s.y for s in legend if isinstance(s, Text)) + MARGIN)
    about = f"{graph.name}: the receptive field grows from {_size(grown.rows[0])} to {_size(grown.last)} pixels of {sizes(grown.size)}"
    return Figure(f"Receptive fields of {graph.name}", about, right + MARGIN, height + 8, colours.paper, tuple(groups))


class _Panel:
    """A square with the picture in its middle, and around it as much padding as the largest box reaches into, up to
    a quarter of the picture's side."""

    def __init__(self, grown: Widening, x: float, y: float) -> None:
        height, width = grown.size
        over = max(max(-s.top, -s.left, s.bottom - height, s.right - width, 0) for s in (*grown.rows, grown.last))
        self._around = min(over + 2, max(height, width) / 4) if over else 0.0
        self._scale = SIDE / (max(height, width) + 2 * self._around)
        self.x, self.y = x, y
        self.width, self.height = ((n + 2 * self._around) * self._scale for n in (width, height))
        self._size = grown.size

    def at(self, row: float, column: float) -> tuple[float, float]:
        """A pixel's corner on paper, at the panel's edge if it lies beyond."""
        x, y = ((n + self._around) * self._scale for n in (column, row))
        return self.x + min(max(x, 0), self.width), self.y + min(max(y, 0), self.height)

    def picture(self, pixels: np.ndarray, colours: Palette) -> tuple[Shape, ...]:
        (x0, y0), (x1, y1) = self.at(0, 0), self.at(*self._size)
        sheet = _rectangle((self.x, self.y), (self.x + self.width, self.y + self.height))
        padding = Polygon(sheet, colours.depths[0], colours.outline)
        # Few pixels are shown as the squares they are.
        return padding, Picture(x0, y0, x1 - x0, y1 - y0, _png(pixels), smooth=max(pixels.shape[:2]) > 100)

    def box(self, seen: Seen, colour: str, colours: Palette) -> list[Shape]:
        points = _rectangle(self.at(seen.top, seen.left), self.at(seen.bottom, seen.right))
        dashed = seen.state != "exact"
        return [Polygon(points, None, colours.paper, 2.8), Polygon(points, None, colour, 2.0, dashed=dashed)]


def _legend(grown: Widening, x: float, panel: _Panel, colours: Palette) -> list[Shape]:
    """A line for each box, the largest first, and notes on what is not drawn."""
    shapes: list[Shape] = []
    y = panel.y + 8
    for number, seen in reversed(list(enumerate(grown.rows))):
        swatch = _rectangle((x, y - 7), (x + 12, y + 1))
        shapes.append(Polygon(swatch, _colour(grown, number, colours), colours.quiet, 0.5))
        size = Text(x + 18, y, f"{_size(seen)} px", colours.text, 9, "start", True)
        note = "" if seen.state == "exact" else ", unaligned"
        shapes += [size, Text(x + 86, y, f"{_named(seen.node)}, step {seen.stride}{note}", colours.quiet, 9, "start")]
        y += ROW
    said = []
    if grown.layers > len(grown.rows):
        said.append(f"{len(grown.rows)} of the {grown.layers} layers that see more than those before")
    if any(seen.state == "unaligned" for seen in grown.rows):
        said.append("dashed: paths of several centres or strides; the box holds what any of them sees")
    if any(s.top < 0 or s.left < 0 or s.bottom > grown.size[0] or s.right > grown.size[1] for s in grown.rows):
        said.append("outside the picture lies padding; a box at the edge of the panel reaches further")
    if grown.whole is not None:
        said.append(f"{_named(grown.whole)} and what follows see the whole picture")
    for text in said:
        y += 3
        shapes.append(Text(x, y, text, colours.quiet, 8, "start"))
        y += ROW - 4
    return shapes


def _effective(
    grown: Widening, panel: _Panel, pixels: np.ndarray, influence: np.ndarray, colours: Palette
) -> list[Group]:
    """The second panel: the picture in grey, the gradient's size over it."""
    import numpy as np

    total = float(influence.sum())
    heading = Text(
        panel.x, MARGIN + 8, f"effective field of {_named(grown.last.node)}", colours.text, 11, "start", True
    )
    below = panel.y + panel.height + 14
    if not np.isfinite(total) or total == 0:
        text = "the gradient is zero everywhere: on this picture nothing moves the centre"
        said = Text(panel.x, below, text, colours.quiet, 8, "start")
        return [Group((heading, *panel.picture(pixels, colours), said))]
    grey = pixels if pixels.ndim == 2 else pixels.mean(axis=2)
    # Square roots, so that the long tails of a bell are seen; the legend below states shares, which are exact.
    times = pixels.shape[0] // influence.shape[0]
    strength = np.sqrt(influence / influence.max()).repeat(times, 0).repeat(times, 1)[..., None]
    base = np.repeat((70 + grey * 0.35)[..., None], 3, axis=2)
    shown = np.round(base * (1 - strength) + np.array([255, 176, 32]) * strength).astype(np.uint8)
    seen, inner = grown.last, _square(influence, grown.last)
    shapes: list[Shape] = [*panel.picture(shown, colours), *panel.box(seen, colours.skip, colours)]
    shapes.append(Polygon(_rectangle(panel.at(*inner[:2]), panel.at(*inner[2:])), None, "#ffffff", 1.5, dashed=True))
    side = f"{inner[2] - inner[0]}×{inner[3] - inner[1]}"
    text = f"{SHARE:.0%} of the gradient lies within the dashed {side} px; the theory says {_size(seen)} px"
    return [Group((heading, *shapes, Text(panel.x, below, text, colours.quiet, 8, "start")), "effective", text)]


def _square(influence: np.ndarray, seen: Seen) -> tuple[int, int, int, int]:
    """The smallest window around the centre of the field that holds `SHARE` of the gradient: top, left, bottom, right."""
    row, column = (int((a + b) // 2) for a, b in ((seen.top, seen.bottom), (seen.left, seen.right)))
    height, width = influence.shape
    row, column, enough = min(max(row, 0), height - 1), min(max(column, 0), width - 1), SHARE * float(influence.sum())
    for reach in range(max(height, width)):
        top, left = max(row - reach, 0), max(column - reach, 0)
        bottom, right = min(row + reach + 1, height), min(column + reach + 1, width)
        if float(influence[top:bottom, left:right].sum()) >= enough:
            return top, left, bottom, right
    return 0, 0, height, width


def _png(pixels: np.ndarray) -> bytes:
    try:
        from PIL import Image
    except ImportError:
        raise MissingPart("a picture in a figure takes Pillow", how_to_install("images")) from None
    data = BytesIO()
    Image.fromarray(pixels).save(data, "PNG")
    return data.getvalue()


def _colour(grown: Widening, number: int, colours: Palette) -> str:
    place = number / max(len(grown.rows) - 1, 1)
    # The palest shades are left out: they are lost on a bright picture.
    return colours.heat[round(3 + place * (len(colours.heat) - 5))][0]


def _facts(seen: Seen) -> str:
    state = "" if seen.state == "exact" else f"\n{seen.state}"
    return (
        f"{seen.node.name}\n{word(seen.node)} {essentials(seen.node)}\nsees {_size(seen)} px, step {seen.stride}{state}"
    )


def _named(node: Node) -> str:
    if node.name.rpartition(".")[2].isdigit():
        return f"{word(node)} {essentials(node)}".strip() + f" (layer {node.name})"
    return node.name if node.name.lower() == node.op.word.lower() else f"{node.name} ({word(node)})"


def _size(seen: Seen) -> str:
    return sizes(seen.size)


def _rectangle(corner: tuple[float, float], opposite: tuple[float, float]) -> tuple[tuple[float, float], ...]:
    (x0, y0), (x1, y1) = corner, opposite
    return (x0, y0), (x1, y0), (x1, y1), (x0, y1)
