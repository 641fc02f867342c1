"""A network as a notebook shows it: one line of text, a diagram, and HTML with the diagram and the table."""

from __future__ import annotations

from html import escape

from cnndsl.analyses.document import Summary
from cnndsl.analyses.html_table import STYLE, to_html
from cnndsl.analyses.outline import rows
from cnndsl.backends.drawing.draw import to_svg
from cnndsl.diagnostics.errors import MissingPart
from cnndsl.ir.graph import Graph
from cnndsl.webpage.inline import inline_svg


def mimebundle(graph: Graph, summary: Summary, line: str) -> dict[str, str]:
    """The contents by MIME type. `line` is the network in one line of text.

    In the HTML the diagram is on top and the table folded away below it. Without Graphviz the HTML says so in the place of
    the diagram, and there is no SVG.
    """
    bundle = {"text/plain": line}
    try:
        svg = to_svg(graph)
        bundle["image/svg+xml"] = svg
        drawing = inline_svg(svg)
    except MissingPart as missing:
        drawing = f"<p>{escape(missing.message)}; {escape(missing.help)}</p>"
    table = to_html(rows(graph, summary=summary))
    heading = escape(line.removeprefix("<").removesuffix(">"))
    details = f"<details><summary>{heading}</summary>{table}</details>"
    bundle["text/html"] = f'<div class="cnndsl">{STYLE}{drawing}{details}</div>'
    return bundle
