"""Diagnostics as text with carets, for people.

    error[shape-mismatch]: cannot add 128×28×28 and 64×56×56
      --> mine.cnn:7:38
       |
     7 |   add{ Conv3x3(128, stride=2) → BN | id }
       |        ---------------------------   ^^ 64×56×56, straight from `layer1`
       |        128×28×28
       = help: project the shortcut: `Conv1x1(128, stride=2)`

The first label is underlined with `^`, the others with `-`. Nothing of a program's text reaches the terminal
as a control character.
"""

from __future__ import annotations

from collections.abc import Iterable

from cnndsl.diagnostics.errors import Diagnostic, Label
from cnndsl.diagnostics.excerpt import Mark, Style, excerpt, visible
from cnndsl.diagnostics.source import Source


def render(diagnostic: Diagnostic, *, color: bool = False) -> str:
    """The diagnostic over its lines, without a line end behind the last one."""
    style = Style(color)
    severity = str(diagnostic.severity)
    title = style.severity(severity, f"{severity}[{diagnostic.id}]") + style.bold(f": {visible(diagnostic.message)}")
    groups = _by_source(diagnostic.labels)
    gutter = len(str(max((mark.last for _, marks in groups for mark in marks), default=1)))
    lines = [title]
    for source, marks in groups:
        line, column = source.line_and_column(marks[0].span.start)
        lines.append(" " * (gutter + 1) + style.quiet("-->") + f" {visible(source.name)}:{line}:{column}")
        lines += excerpt(source, marks, gutter, severity, style)
    for kind, text in [*(("note", note) for note in diagnostic.notes), ("help", diagnostic.help)]:
        if text:
            lines += _remark(kind, text, gutter, style)
    return "\n".join(lines)


def render_all(diagnostics: Iterable[Diagnostic], *, color: bool = False) -> str:
    """Diagnostics as the command line shows them, the program's lines with carets below them, a blank line between two; an empty
    text for none. With `color` they hold the escape sequences of terminals."""
    return "\n\n".join(render(diagnostic, color=color) for diagnostic in diagnostics)


def one_line(diagnostic: Diagnostic) -> str:
    """`mine.cnn:7:38: error[shape-mismatch]: cannot add …`, as editors and grep read it."""
    text = f"{diagnostic.severity}[{diagnostic.id}]: {visible(diagnostic.message)}"
    if diagnostic.span is None:
        return text
    line, column = diagnostic.span.source.line_and_column(diagnostic.span.start)
    return f"{visible(diagnostic.span.source.name)}:{line}:{column}: {text}"


def _by_source(labels: tuple[Label, ...]) -> list[tuple[Source, list[Mark]]]:
    """The marks of each file, the guilty one's first."""
    groups: dict[int, tuple[Source, list[Mark]]] = {}
    for index, label in enumerate(labels):
        source = label.span.source
        groups.setdefault(id(source), (source, []))[1].append(
            Mark.of(label.span, visible(label.text), primary=index == 0)
        )
    return list(groups.values())


def _remark(kind: str, text: str, gutter: int, style: Style) -> list[str]:
    first, *rest = text.split("\n")
    indent = " " * (gutter + 2)
    lead = f"{indent}{style.quiet('=')} {style.bold(kind)}: {visible(first)}"
    return [lead, *(f"{indent}{' ' * (len(kind) + 4)}{visible(line)}" for line in rest)]
