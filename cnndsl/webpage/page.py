"""The page of a network: diagram, table, plots and source, in one HTML file that loads nothing."""

from __future__ import annotations

from base64 import b64encode
from hashlib import sha256
from html import escape
from string import Template

from cnndsl.analyses.document import Summary
from cnndsl.backends.drawing.draw import to_svg
from cnndsl.ir.graph import Graph
from cnndsl.version import __version__
from cnndsl.webpage.facts import facts
from cnndsl.webpage.inline import asset, inline_json, inline_svg

PEAK, BANDWIDTH = 200.0, 40.0
"""GFLOP/s and GB/s of the machine in the roofline plot, about two cores of a server with AVX-512, until the reader sets others."""


def page(graph: Graph, summary: Summary, *, peak: float = PEAK, bandwidth: float = BANDWIDTH) -> str:
    """The whole page. `peak` in GFLOP/s and `bandwidth` in GB/s set the roofline's machine.

    The page's content security policy lets only its own script run, which it names by its hash, and forbids to fetch anything.
    Raises `MissingPart` where Graphviz is missing.
    """
    script, style, outline = (asset(name) for name in ("page.js", "page.css", "page.html"))
    return Template(outline).substitute(
        title=escape(graph.name),
        version=escape(__version__),
        css=style,
        js=script,
        hash=b64encode(sha256(script.encode()).digest()).decode(),
        diagram=inline_svg(to_svg(graph, theme="auto")),
        peak=f"{peak:g}",
        bandwidth=f"{bandwidth:g}",
        data=inline_json(facts(graph, summary)),
    )
