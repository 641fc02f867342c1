"""Lines of a program with marks beneath them: widths, tabs, several marks on a line, marks over several lines."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from itertools import accumulate

from cnndsl.diagnostics.source import Source, Span

TAB = 4
WIDEST = 140
"""Columns of a line that are shown; of a longer one, those around its first mark."""

_COLORS = {"error": "1;31", "warning": "1;33", "bold": "1", "quiet": "1;34"}


@dataclass(frozen=True, slots=True)
class Style:
    """Colours of a terminal, or none."""

    color: bool = False

    def severity(self, severity: str, text: str) -> str:
        return self._paint(_COLORS[severity], text)

    def bold(self, text: str) -> str:
        return self._paint(_COLORS["bold"], text)

    def quiet(self, text: str) -> str:
        """Gutters and secondary marks."""
        return self._paint(_COLORS["quiet"], text)

    def _paint(self, code: str, text: str) -> str:
        return f"\x1b[{code}m{text}\x1b[0m" if self.color and text else text


@dataclass(frozen=True, slots=True)
class Mark:
    """A span to underline with what is said beside it; lines count from 1, `last` included."""

    span: Span
    text: str
    primary: bool
    first: int
    last: int

    @classmethod
    def of(cls, span: Span, text: str, *, primary: bool) -> Mark:
        first, _ = span.source.line_and_column(span.start)
        last, _ = span.source.line_and_column(max(span.start, span.end - 1))
        return cls(span, text, primary, first, last)


@dataclass(frozen=True, slots=True)
class _Stroke:
    """The part of a mark on one line, in columns of the terminal from 0."""

    start: int
    end: int
    text: str
    primary: bool


def visible(text: str) -> str:
    """The text with every character that has no glyph of its own shown by its number: `<U+202E>`."""
    return "".join(_glyph(character) for character in text)


def _glyph(character: str) -> str:
    if character == "\t" or character.isprintable():
        return character
    if unicodedata.category(character) in ("Zs", "Mn", "Mc"):
        return character
    return f"<U+{ord(character):04X}>"


def _width(character: str) -> int:
    if unicodedata.category(character) in ("Mn", "Me"):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def excerpt(source: Source, marks: list[Mark], gutter: int, severity: str, style: Style) -> list[str]:
    """The marked lines with their numbers and marks, `...` where lines between are left out."""
    bar = style.quiet("|")
    blank = f"{' ' * (gutter + 2)}{bar}"
    wanted = sorted({line for mark in marks for line in (mark.first, mark.last)})
    lines = [blank]
    before = wanted[0]
    for number in wanted:
        if number - before == 2:
            # One line costs no more room than the dots.
            lines += _numbered(source, before + 1, [], gutter, severity, style)
        elif number - before > 2:
            lines.append(style.quiet("..."))
        lines += _numbered(source, number, [m for m in marks if number in (m.first, m.last)], gutter, severity, style)
        before = number
    return lines


def _numbered(source: Source, number: int, marks: list[Mark], gutter: int, severity: str, style: Style) -> list[str]:
    shown, edges = _expand(source.line(number))
    strokes = [_stroke(source, mark, number, edges) for mark in marks]
    shown, strokes = _crop(shown, strokes)
    text = f" {style.quiet(f'{number:>{gutter}} |')} {shown}".rstrip()
    blank = f"{' ' * (gutter + 2)}{style.quiet('|')} "
    return [text, *(f"{blank}{line}" for line in _underline(strokes, severity, style))]


def _expand(line: str) -> tuple[str, list[int]]:
    """The line as a terminal shows it, and the column at which each character begins, the line's end as the last."""
    shown: list[str] = []
    edges = [0]
    for character in line:
        text = " " * (TAB - edges[-1] % TAB) if character == "\t" else _glyph(character)
        shown.append(text)
        edges.append(edges[-1] + sum(map(_width, text)))
    return "".join(shown), edges


def _stroke(source: Source, mark: Mark, number: int, edges: list[int]) -> _Stroke:
    """The mark on this line: to the line's end where it goes on, from the first letter where it came from above."""
    length = len(edges) - 1
    line_start = source.offset(number, 1)
    line = source.line(number)
    start = mark.span.start - line_start if number == mark.first else length - len(line.lstrip())
    end = mark.span.end - line_start if number == mark.last else length
    low, high = min(max(start, 0), length), min(max(end, 0), length)
    column = edges[low]
    return _Stroke(
        column, max(edges[max(low, high)], column + 1), mark.text if number == mark.last else "", mark.primary
    )


def _crop(shown: str, strokes: list[_Stroke]) -> tuple[str, list[_Stroke]]:
    """A line too long to be read, cut down to the columns around its first mark."""
    columns = [0, *accumulate(map(_width, shown))]
    if columns[-1] <= WIDEST:
        return shown, strokes
    focus = next((s for s in strokes if s.primary), strokes[0] if strokes else _Stroke(0, 0, "", primary=False))
    left = max(0, min(focus.start - WIDEST // 3, columns[-1] - WIDEST))
    right = left + WIDEST
    kept = "".join(
        c
        for c, column in zip(shown, columns[:-1], strict=True)
        if left < column < right - 1 or (not left and not column)
    )
    cut = ("…" if left else "") + kept + ("…" if right < columns[-1] else shown[-1])
    moved = [
        _Stroke(max(s.start - left, 0), max(min(s.end - left, WIDEST), s.start - left + 1, 1), s.text, s.primary)
        for s in strokes
        if s.start <= right and s.end > left
    ]
    return cut, moved


def _underline(strokes: list[_Stroke], severity: str, style: Style) -> list[str]:
    """Marks on one line; the text of the rightmost beside it, those of the others below, from right to left."""
    if not strokes:
        return []
    order = sorted(strokes, key=lambda s: (s.end, s.start, s.primary))
    beside = order[-1]
    cells = [" "] * beside.end
    kinds = [""] * beside.end
    for stroke in sorted(strokes, key=lambda s: s.primary):
        mark = "^" if stroke.primary else "-"
        cells[stroke.start : stroke.end] = mark * (stroke.end - stroke.start)
        kinds[stroke.start : stroke.end] = [mark] * (stroke.end - stroke.start)
    lines = [_painted(cells, kinds, severity, style) + (f" {_said(beside, severity, style)}" if beside.text else "")]
    below = sorted((s for s in strokes if s is not beside and s.text), key=lambda s: s.start)
    while below:
        stroke = below.pop()
        # A stem keeps the texts still to come tied to their marks.
        stems = {s.start for s in below if s.start < stroke.start}
        lead = "".join("|" if column in stems else " " for column in range(stroke.start))
        lines.append(style.quiet(lead.rstrip()) + lead[len(lead.rstrip()) :] + _said(stroke, severity, style))
    return lines


def _said(stroke: _Stroke, severity: str, style: Style) -> str:
    return style.severity(severity, stroke.text) if stroke.primary else style.quiet(stroke.text)


def _painted(cells: list[str], kinds: list[str], severity: str, style: Style) -> str:
    runs: list[tuple[str, str]] = []
    for cell, kind in zip(cells, kinds, strict=True):
        if runs and runs[-1][0] == kind:
            runs[-1] = (kind, runs[-1][1] + cell)
        else:
            runs.append((kind, cell))
    return "".join(
        style.severity(severity, text) if kind == "^" else style.quiet(text) if kind == "-" else text
        for kind, text in runs
    )
