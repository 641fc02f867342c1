"""A diagram as a file, in the format that the file's ending asks for, or as SVG for a page."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Unpack

from cnndsl.backends.drawing.colours.theme import Theme
from cnndsl.backends.drawing.diagram.diagram import Box
from cnndsl.backends.drawing.diagram.structure import diagram
from cnndsl.backends.drawing.figures.canvas import Figure, figure_svg
from cnndsl.backends.drawing.figures.paint import paint
from cnndsl.backends.drawing.figures.tikz import tikz
from cnndsl.backends.drawing.formats.graphviz import Style, to_dot
from cnndsl.backends.drawing.formats.graphviz_program import FORMATS, render
from cnndsl.backends.drawing.formats.mermaid import to_mermaid
from cnndsl.backends.drawing.page import SMALL, Page, paged_dot
from cnndsl.backends.drawing.words.description import description
from cnndsl.backends.drawing.words.escape import identifier
from cnndsl.diagnostics.errors import fault
from cnndsl.disk.files import write_atomically
from cnndsl.ir.graph import Graph

ENDINGS = (*(f".{format}" for format in FORMATS), ".dot", ".mmd")
PAGED_ENDINGS = tuple(ending for ending in ENDINGS if ending != ".mmd")
FIGURE_ENDINGS = (".svg", ".png", ".pdf", ".tex")


def draw(graph: Graph, path: str | Path, *, page: Page | None = None, **style: Unpack[Style]) -> float:
    """Writes the picture of a graph; options as for `to_dot`. The file appears whole or not at all.

    With a `page` (`"A3"`, `"A4"`, `"A5"`, `"letter"`) the diagram is no larger than that sheet of paper, in as many columns as make
    its letters largest. Returns the size of the smallest letters in points.

    `.dot` and `.mmd` (Mermaid) are text and need nothing; `.svg`, `.png` and `.pdf` need Graphviz. Raises CnnError
    before anything is drawn (`unknown-format` for another ending, `theme-without-reader` for the theme `auto` in a file that
    is no SVG), and what `render` raises.
    """
    path = Path(path)
    if page is None:
        write_atomically(path, content(graph, path.suffix, **style))
        return SMALL
    ending = path.suffix.lower()
    check_ending(ending, PAGED_ENDINGS)
    check_theme(ending, style.get("theme", "light"))
    text, points = paged_dot(graph, page, **style)
    write_atomically(path, _painted(graph, ending, text))
    return points


def content(graph: Graph, ending: str, **style: Unpack[Style]) -> bytes:
    """What `draw` writes to a file with this ending, such as `.svg`."""
    ending = ending.lower()
    check_ending(ending, ENDINGS)
    check_theme(ending, style.get("theme", "light"))
    if ending == ".mmd":
        return to_mermaid(graph, **style).encode()
    return _painted(graph, ending, to_dot(graph, **style))


def _painted(graph: Graph, ending: str, text: str) -> bytes:
    """The content of a file with a diagram that is given in DOT."""
    if ending == ".dot":
        return text.encode()
    if ending == ".svg":
        return render(text, "svg", description=description(graph))
    return render(text, "png" if ending == ".png" else "pdf")


def to_svg(graph: Graph, **style: Unpack[Style]) -> str:
    """The diagram as the text of an SVG document; options as for `to_dot`.

    Its elements have ids: `element_ids` says which belongs to a layer. It holds no script, link or foreign element. Raises
    `MissingPart` without Graphviz, and `CnnError` (diagram-too-large).
    """
    return render(to_dot(graph, **style), "svg", description=description(graph)).decode()


def element_ids(graph: Graph, *, depth: int | None = None, expand: bool = False) -> dict[str, str]:
    """For every node of the graph, the id of the SVG element that stands for it in the diagram with these options.

    A box that is drawn for the node alone has the id `op:NAME`, in which characters that are not plain ASCII are
    percent-encoded. Where a repeat is drawn once, all its rounds have the id of the first; what lies in a closed block has
    the id of the block."""
    ids: dict[str, str] = {}
    for box in diagram(graph, depth=depth, expand=expand).boxes():
        if isinstance(box, Box):
            ids |= {n.name: identifier(f"op:{cell.node.name}") for cell in box.cells for n in cell.nodes}
        else:
            ids |= {node.name: identifier(box.key) for node in box.nodes}
    return ids


def draw_figure(make: Callable[[], Figure], path: str | Path, theme: Theme = "light") -> None:
    """Writes a figure as `.svg`, `.png`, `.pdf` or `.tex` (LaTeX with TikZ), whichever the path ends in. The file appears whole or not at all.

    `make` is a function without arguments that returns the figure; it is called once the path is known to be good. `theme`
    is the one that `make` uses. Raises `CnnError` (unknown-format, theme-without-reader) and whatever `make` raises, and
    `MissingPart` where a PNG or PDF lacks matplotlib."""
    path = Path(path)
    ending = path.suffix.lower()
    check_ending(ending, FIGURE_ENDINGS)
    check_theme(ending, theme)
    figure = make()
    if ending == ".svg":
        write_atomically(path, figure_svg(figure))
    elif ending == ".tex":
        write_atomically(path, tikz(figure))
    else:
        write_atomically(path, paint(figure, "png" if ending == ".png" else "pdf"))


def check_ending(ending: str, known: tuple[str, ...]) -> None:
    """Raises CnnError (`unknown-format`) for an ending that is not among these."""
    if ending not in known:
        named = f"`{ending}`" if ending else "a name without an ending"
        raise fault(
            "unknown-format",
            f"cannot tell from {named} how to draw",
            help=f"end the name in {', '.join(known[:-1])} or {known[-1]}",
        )


def check_theme(ending: str, theme: str) -> None:
    """Raises CnnError (`theme-without-reader`) for the theme `auto` in a file that cannot adapt to its reader."""
    if theme == "auto" and ending != ".svg":
        raise fault(
            "theme-without-reader",
            f"a `{ending}` cannot follow its reader's theme",
            notes=("expected `.svg` for the theme `auto`",),
            help="say `light` or `dark`, or write .svg",
        )
