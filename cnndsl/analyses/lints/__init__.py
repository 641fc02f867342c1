"""What is legal and probably not meant: one lint a file, and its page `docs/errors/ID.md`.

A lint is a function of a graph that gives warnings. `# allow: id` at the end of a line silences it there.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from importlib import import_module
from pkgutil import iter_modules

from cnndsl.diagnostics.errors import Diagnostic, Label, Severity
from cnndsl.ir.graph import Graph, Node

_ALLOW = re.compile(r"#\s*allow:\s*([a-z-]+(?:\s*,\s*[a-z-]+)*)")


def lint(graph: Graph) -> list[Diagnostic]:
    """Every warning about a network; of several with one id at one place, the first."""
    found: dict[tuple[str, str, int], Diagnostic] = {}
    for module in iter_modules(__path__):
        for diagnostic in import_module(f"{__name__}.{module.name}").find(graph):
            span = diagnostic.span
            found.setdefault((diagnostic.id, span.source.name if span else "", span.start if span else 0), diagnostic)
    return list(found.values())


def warning(
    id: str, graph: Graph, nodes: Iterable[Node], message: str, texts: Iterable[str], help: str
) -> Iterator[Diagnostic]:
    """A warning with the places of some nodes, each with its text; the first node is the one to change."""
    labels = tuple(Label(span, text) for node, text in zip(nodes, texts, strict=True) if (span := graph.span(node)))
    yield Diagnostic(id, message, labels, help=help, severity=Severity.WARNING)


def without_allowed(found: Iterable[Diagnostic]) -> list[Diagnostic]:
    """The diagnostics but for the warnings whose line says `# allow: id`."""
    return [d for d in found if d.severity is Severity.ERROR or d.id not in _allowed(d)]


def _allowed(diagnostic: Diagnostic) -> set[str]:
    span = diagnostic.span
    if span is None:
        return set()
    line, _ = span.source.line_and_column(span.start)
    match = _ALLOW.search(span.source.line(line))
    return set(re.split(r"\s*,\s*", match[1])) if match else set()
