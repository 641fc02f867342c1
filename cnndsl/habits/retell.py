"""Tells a mistake as what was meant by it, where the line it stands in shows a habit from elsewhere."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from cnndsl.diagnostics.errors import CnnError, Diagnostic, Fix, Label, Severity
from cnndsl.diagnostics.source import Span
from cnndsl.habits.chains import CHAINS
from cnndsl.habits.habit import READING, Meant, meant
from cnndsl.habits.inputs import INPUTS
from cnndsl.habits.statements import STATEMENTS
from cnndsl.habits.values import VALUES

_GUESSED = READING | {"second-chain", "other-order", "unknown-name"}
"""Ids whose fix is a guess from one sign, which a habit knows better."""
HABITS = (*INPUTS, *STATEMENTS, *CHAINS, *VALUES)


def retold(error: CnnError) -> CnnError:
    """The same error with each mistake that shows a habit told in its words, and once: what else was found in its reach
    is a consequence of it."""
    return type(error)(_retold(error.diagnostics))


def _retold(diagnostics: Iterable[Diagnostic]) -> list[Diagnostic]:
    found: list[Diagnostic] = []
    told: list[tuple[str, int, int]] = []
    for diagnostic in diagnostics:
        span = diagnostic.span
        if span is None or diagnostic.severity is not Severity.ERROR:
            found.append(diagnostic)
            continue
        if any(_within(label.span, told) for label in diagnostic.labels):
            continue
        habits = INPUTS if diagnostic.fixes and diagnostic.id not in _GUESSED else HABITS
        known = meant(habits, span.source.text, span.start, diagnostic.id)
        if known is None:
            found.append(diagnostic)
            continue
        line_end = span.source.text.find("\n", max(known.start, known.end - 1))
        told.append((span.source.name, known.start, line_end if line_end >= 0 else len(span.source.text)))
        found.append(_in_words(diagnostic, span, known))
    return found


def _within(span: Span, told: list[tuple[str, int, int]]) -> bool:
    return any(name == span.source.name and start <= span.start <= end for name, start, end in told)


def _in_words(diagnostic: Diagnostic, span: Span, known: Meant) -> Diagnostic:
    at = Span(span.source, known.start, known.end)
    fixes = () if known.mend is None else (Fix(at, known.mend),)
    seen = " ".join(at.text.split())
    text = f"expected `{' '.join(known.mend.split())}`, found `{seen}`" if known.mend and len(seen) < 40 else ""
    return replace(diagnostic, message=known.message, labels=(Label(at, text),), notes=(), help=known.help, fixes=fixes)
