"""Places that lead elsewhere: files that are used, and papers."""

from __future__ import annotations

import re

from cnndsl.diagnostics.errors import CnnError
from cnndsl.diagnostics.source import Span
from cnndsl.passes.library.sources import on_disk, used_file
from cnndsl.service.analysis import Analysis
from cnndsl.service.answers import Link, Place
from cnndsl.syntax import tree

_PAPER = re.compile(r"arXiv:(\d{4}\.\d{4,5})")


def links(analysis: Analysis) -> tuple[Link, ...]:
    """The links of a text in order. A built-in file leads to its name, `architectures/resnet.cnn`."""
    found = []
    for statement in analysis.program.statements:
        if isinstance(statement, tree.Use) and statement.origin:
            try:
                origin = used_file(statement, analysis.source.name, analysis.path, on_disk)
            except CnnError:
                continue
            found.append(Link(_place(statement.origin_span), origin.path or origin.name, f"open {origin.name}"))
    for comment in analysis.program.comments:
        for match in _PAPER.finditer(comment.text):
            start = comment.span.start + match.start()
            found.append(
                Link(Place(start, start + len(match[0])), f"https://arxiv.org/abs/{match[1]}", "open the paper")
            )
    return tuple(sorted(found, key=lambda link: link.place.start))


def _place(span: Span) -> Place:
    return Place(span.start, span.end)
