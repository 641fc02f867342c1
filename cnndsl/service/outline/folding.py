"""What can be folded: brackets over several lines, runs of comments, and of `use` statements."""

from __future__ import annotations

from typing import Literal

from cnndsl.diagnostics.source import Source
from cnndsl.service.answers import Fold
from cnndsl.syntax import tree
from cnndsl.syntax.tolerant.parse import tokens

_OPENS = ("LPAR", "_CALL", "LSQB", "_INDEX", "LBRACE")
_CLOSES = ("RPAR", "RSQB", "RBRACE")


def folds(source: Source, program: tree.Program) -> tuple[Fold, ...]:
    """The folds of a text, by where they begin; of several that begin on one line, the outermost."""
    found: dict[int, Fold] = {}
    open_: list[int] = []
    line = source.line_and_column
    for token in tokens(source):
        start, end = token.start_pos or 0, token.end_pos or 0
        if token.type in _OPENS:
            open_.append(start)
        elif token.type in _CLOSES and open_:
            opened = open_.pop()
            if line(end)[0] - line(opened)[0] > 1:
                fold = Fold(opened, end, "region")
                present = found.get(line(opened)[0])
                if present is None or present.end < end:
                    found[line(opened)[0]] = fold
    for run in (_comments(source, program), _uses(source, program)):
        for fold in run:
            found.setdefault(line(fold.start)[0], fold)
    return tuple(sorted(found.values(), key=lambda fold: fold.start))


def _comments(source: Source, program: tree.Program) -> list[Fold]:
    own = [
        c
        for c in program.comments
        if not source.line(source.line_and_column(c.span.start)[0])[: _column(source, c)].strip()
    ]
    return _runs(source, [(c.span.start, c.span.end) for c in own], "comment")


def _column(source: Source, comment: tree.Comment) -> int:
    return source.line_and_column(comment.span.start)[1] - 1


def _uses(source: Source, program: tree.Program) -> list[Fold]:
    spans = [(s.span.start, s.span.end) for s in program.statements if isinstance(s, tree.Use)]
    return _runs(source, spans, "imports")


def _runs(source: Source, spans: list[tuple[int, int]], kind: Literal["comment", "imports"]) -> list[Fold]:
    """Ranges on lines that follow each other, as one; at least two of them."""
    runs: list[list[tuple[int, int]]] = []
    for span in spans:
        line = source.line_and_column(span[0])[0]
        if runs and source.line_and_column(runs[-1][-1][1])[0] == line - 1:
            runs[-1].append(span)
        else:
            runs.append([span])
    return [Fold(run[0][0], run[-1][1], kind) for run in runs if len(run) > 1]
