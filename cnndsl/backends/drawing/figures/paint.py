"""Our own figures as PNG and PDF, painted by matplotlib."""

from __future__ import annotations

from io import BytesIO
from typing import Any, Literal

from cnndsl.backends.drawing.figures.canvas import FAMILY, Figure, Line, Picture, Polygon, Shape, Text
from cnndsl.backends.drawing.words.escape import visible
from cnndsl.diagnostics.errors import MissingPart
from cnndsl.diagnostics.extras import how_to_install

DPI = 144


def paint(figure: Figure, format: Literal["png", "pdf"]) -> bytes:
    """The figure's file, the same for the same figure. Raises MissingPart without matplotlib."""
    try:
        import matplotlib
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.backends.backend_pdf import FigureCanvasPdf
        from matplotlib.figure import Figure as Sheet
    except ImportError:
        raise MissingPart(f"painting {format} takes matplotlib", f"{how_to_install('draw')}, or write .svg") from None
    # Matplotlib warns of every font in the list that the machine lacks: the list has one that it has.
    settings = {"font.family": [_family()], "pdf.fonttype": 42, "text.parse_math": False}
    with matplotlib.rc_context(settings):
        sheet = Sheet(figsize=(figure.width / 72, figure.height / 72), facecolor=figure.paper)
        canvas = FigureCanvasAgg(sheet) if format == "png" else FigureCanvasPdf(sheet)
        axes = sheet.add_axes((0, 0, 1, 1), xlim=(0, figure.width), ylim=(figure.height, 0))
        axes.axis("off")
        for order, shape in enumerate(shape for group in figure.groups for shape in group.shapes):
            _draw(axes, shape, order)
        data = BytesIO()
        # Without the date and the name of a program the same figure gives the same file.
        metadata = {"Software": None} if format == "png" else {"Creator": None, "Producer": None, "CreationDate": None}
        canvas.figure.savefig(data, format=format, dpi=DPI, facecolor=figure.paper, metadata=metadata)
    return data.getvalue()


def _family() -> str:
    from matplotlib import font_manager

    known = {font.name for font in font_manager.fontManager.ttflist}
    return next((name for name in FAMILY if name in known), "DejaVu Sans")


def _draw(axes: Any, shape: Shape, order: int) -> None:
    match shape:
        case Polygon():
            from matplotlib.colors import to_rgba
            from matplotlib.patches import Polygon as Patch

            face = to_rgba(shape.fill, shape.opacity) if shape.fill else "none"
            style = (0, (4 / shape.width, 3 / shape.width)) if shape.dashed else "-"
            width = shape.width if shape.line else 0
            look = {"edgecolor": shape.line or "none", "linewidth": width, "linestyle": style, "joinstyle": "round"}
            axes.add_patch(Patch(shape.points, closed=True, facecolor=face, zorder=order, **look))
        case Line():
            xs, ys = zip(*shape.points, strict=True)
            style = (0, (3 / shape.width, 2 / shape.width)) if shape.dashed else "-"
            axes.plot(xs, ys, color=shape.colour, linewidth=shape.width, linestyle=style, zorder=order)
        case Text():
            place = {"start": "left", "middle": "center", "end": "right"}[shape.anchor]
            look = {"ha": place, "va": "baseline", "fontweight": "bold" if shape.bold else "normal"}
            text = visible(shape.text)
            axes.text(shape.x, shape.y, text, color=shape.colour, fontsize=shape.size, zorder=order, **look)
        case Picture():
            import numpy as np
            from PIL import Image

            with Image.open(BytesIO(shape.png)) as file:
                pixels = np.asarray(file.convert("RGBA"))
            extent = (shape.x, shape.x + shape.width, shape.y + shape.height, shape.y)
            kind = "antialiased" if shape.smooth else "nearest"
            axes.imshow(pixels, extent=extent, zorder=order, interpolation=kind, aspect="auto")
