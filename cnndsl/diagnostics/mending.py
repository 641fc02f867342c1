"""Programs mended by the fixes that diagnostics carry."""

from __future__ import annotations

from collections.abc import Iterable

from cnndsl.diagnostics.errors import Diagnostic, Fix


def mended(text: str, diagnostics: Iterable[Diagnostic]) -> str:
    """The text once the fixes of all diagnostics about it were applied; of those that overlap, the first."""
    fixes = [fix for diagnostic in diagnostics for fix in diagnostic.fixes if fix.span.source.text == text]
    return applied(text, fixes)


def applied(text: str, fixes: Iterable[Fix]) -> str:
    """The text with each span replaced; a span that overlaps one before it stays as it is."""
    parts, end = [], 0
    for fix in sorted(fixes, key=lambda fix: (fix.span.start, fix.span.end)):
        if fix.span.start >= end:
            parts += [text[end : fix.span.start], fix.text]
            end = fix.span.end
    return "".join([*parts, text[end:]])
