"""The page of a network: diagram, table, plots and source, in one HTML file that loads nothing."""

from __future__ import annotations

from base64 import b64encode
from hashlib import sha256
from html import escape
from string import Template
from typing import Any

from cnndsl.analyses.document import Summary
from cnndsl.backends.drawing.draw import to_svg
from cnndsl.calibration.report import QuantizationReport
from cnndsl.ir.graph import Graph
from cnndsl.version import __version__
from cnndsl.webpage.facts import facts
from cnndsl.webpage.inline import asset, inline_json, inline_svg

SCRIPTS = ("base.js", "diagram.js", "plots.js", "table.js", "field.js", "quantized.js", "advised.js", "page.js")
"""The parts of the page's script, in order."""
PEAK, BANDWIDTH = 200.0, 40.0
"""GFLOP/s and GB/s of the machine in the roofline plot, about two cores of a server with AVX-512, until the reader sets others."""


def page(
    graph: Graph,
    summary: Summary,
    *,
    peak: float = PEAK,
    bandwidth: float = BANDWIDTH,
    quantized: QuantizationReport | None = None,
    advice: dict[str, Any] | None = None,
) -> str:
    """The whole page. `peak` in GFLOP/s and `bandwidth` in GB/s set the roofline's machine; `quantized` is what quantising the
    network cost its layers; `advice` is that of `advised`.

    The page's content security policy lets only its own script run, which it names by its hash, and forbids to fetch anything.
    Raises `MissingPart` where Graphviz is missing.
    """
    return filled(
        graph.name,
        diagram=inline_svg(to_svg(graph, theme="auto")),
        data=facts(graph, summary, quantized, advice),
        peak=peak,
        bandwidth=bandwidth,
    )


def filled(
    title: str,
    *,
    diagram: str = "",
    data: object = None,
    peak: float = PEAK,
    bandwidth: float = BANDWIDTH,
    more: tuple[str, ...] = (),
    fetches: str = "",
    live: str = "",
) -> str:
    """The page with its parts put in. `more` are scripts and styles beside its own, `fetches` is what its policy lets it ask
    for, `live` is HTML below its head."""
    script = "\n".join(['"use strict";', *(asset(name) for name in (*SCRIPTS, *more) if name.endswith(".js"))])
    style = "".join(asset(name) for name in ("page.css", *more) if name.endswith(".css"))
    policy = f"default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-{_hash(script)}'; img-src data: blob:"
    return Template(asset("page.html")).substitute(
        title=escape(title),
        version=escape(__version__),
        css=style,
        js=script,
        policy=f"{policy} {fetches}; connect-src {fetches}" if fetches else policy,
        diagram=diagram,
        peak=f"{peak:g}",
        bandwidth=f"{bandwidth:g}",
        data=inline_json(data),
        live=live,
    )


def _hash(script: str) -> str:
    return b64encode(sha256(script.encode()).digest()).decode()
