"""A diagram that fills a page: in as many columns as make its letters largest."""

from __future__ import annotations

import re
from typing import Literal, Unpack, get_args

from cnndsl.backends.drawing.formats.graphviz import Style, to_dot
from cnndsl.backends.drawing.formats.graphviz_program import render
from cnndsl.ir.graph import Graph

Page = Literal["A3", "A4", "A5", "letter"]
PAGES: tuple[Page, ...] = get_args(Page)
INCHES: dict[Page, tuple[float, float]] = {
    "A3": (11.69, 16.54),
    "A4": (8.27, 11.69),
    "A5": (5.83, 8.27),
    "letter": (8.5, 11.0),
}
MARGIN = 0.6
"""Inches of paper left free on each side."""
MOST = 6
"""Columns of a page."""
SMALL = 8.5
"""Points of the smallest type of a diagram at its own size."""
_SIZE = re.compile(rb'<svg [^>]*viewBox="\S+ \S+ ([0-9.]+) ([0-9.]+)"')


def paged_dot(graph: Graph, page: Page, **style: Unpack[Style]) -> tuple[str, float]:
    """The diagram as text in DOT, no larger than the page without its margins, and the points of its smallest type there.

    Columns are tried out, since only Graphviz knows how large its picture is: raises what `render` raises."""
    width, height = (side - 2 * MARGIN for side in INCHES[page])
    best, chosen = 0.0, ""
    for count in range(1, MOST + 1):
        text = to_dot(graph, columns=count, **style)
        if text == chosen:
            continue
        found = _SIZE.search(render(text, "svg"))
        assert found is not None, "an SVG of Graphviz has a size in points"
        share = min(72 * width / float(found[1]), 72 * height / float(found[2]), 1.0)
        if share > best:
            best, chosen = share, text
    return chosen.replace("{\n", f'{{\n  graph [size="{width:.2f},{height:.2f}"]\n', 1), SMALL * best
