"""The lines being written, and the comments that go between them."""

from __future__ import annotations

import re

from cnndsl.diagnostics.source import Source
from cnndsl.syntax import tree

WIDTH = 100
INDENT = 2
# Deeper brackets begin at this column too, so that something still fits behind it.
_MOST_INDENT = 60

_BLANK = re.compile(r"\n[ \t\r\f]*\n")


class Page:
    """Writes words to lines. Comments come along: each is written before the first word that stood behind it.

    Offsets are of the text being formatted, columns and indents count from 0.
    """

    def __init__(self, source: Source, comments: tuple[tree.Comment, ...]) -> None:
        self.text = source.text
        self.indent = 0
        """Where the next line that is broken will begin."""
        self.margin = 0
        """Where the present line began: brackets opened on it close there."""
        self.last = 0
        """The offset behind the last thing written."""
        self.blank = False
        """Whether the next line, if one is begun now, follows a blank one."""
        self._comments = comments
        self._next = 0
        self._lines: list[str] = []
        self._line: str | None = None
        self._begin = 0
        self._broken = True
        self._commented = False
        # Nothing is written yet since the file or a bracket began: no blank line here.
        self._fresh = True

    @property
    def column(self) -> int:
        """Where the next word will stand."""
        return self._begin if self._broken or self._line is None else len(self._line)

    @property
    def number(self) -> int:
        """Counts the lines up to the one that the next word will stand on."""
        if not self._broken:
            return len(self._lines)
        return len(self._lines) + (self._line is not None) + (self.blank and not self._fresh)

    def put(self, text: str) -> None:
        """Writes on the present line; on a new one without the spaces in front."""
        if self._broken:
            text = text.lstrip(" ")
            if not text:
                return
            self._start(text)
        else:
            self._line = f"{self._line}{text}"
        self.blank = False

    def break_line(self) -> None:
        """The next word begins a line."""
        self._broken, self._begin = True, min(self.indent, _MOST_INDENT)

    def gap(self, end: int, start: int) -> bool:
        """Writes the comments between two things; whether a line was broken between them."""
        self.last = max(self.last, end)
        broke = self.text.find("\n", end, start) >= 0
        self.comments(start)
        self.blank = _BLANK.search(self.text, self.last, start) is not None
        return broke

    def comments(self, before: int) -> None:
        """Writes the comments up to an offset: behind what stands on their line, else on lines of their own."""
        while self._next < len(self._comments) and self._comments[self._next].span.start < before:
            comment = self._comments[self._next]
            self._next += 1
            start = comment.span.start
            if self._line is not None and not self._commented and self.text.find("\n", self.last, start) < 0:
                self._line = f"{self._line.rstrip(' ')}  {comment.text}"
            else:
                self.blank = _BLANK.search(self.text, self.last, start) is not None
                self.break_line()
                self._start(comment.text)
            self._commented = True
            self.blank = False
            self.break_line()
            self.last = comment.span.end

    def open(self, bracket: str, offset: int) -> int:
        """Writes a bracket whose contents stand on lines of their own; the indent at which it closes.

        `offset` is where what stands before the contents ends.
        """
        self.put(bracket)
        self.last = max(self.last, offset)
        base = self.margin
        self.indent = base + INDENT
        self._fresh = True
        return base

    def close(self, bracket: str, base: int, offset: int) -> None:
        """Writes the closing bracket, that stood at `offset`, on a line of its own."""
        self.comments(offset)
        self.blank = False
        self.indent = base
        self.break_line()
        self.put(bracket)
        self._fresh = False
        self.last = max(self.last, offset + 1)

    def finish(self) -> str:
        """The whole text, the last comments included."""
        self.comments(len(self.text) + 1)
        if self._line is not None:
            self._lines.append(self._line.rstrip(" "))
        return "".join(f"{line}\n" for line in self._lines)

    def _start(self, text: str) -> None:
        if self._line is not None:
            self._lines.append(self._line.rstrip(" "))
        if self.blank and not self._fresh:
            self._lines.append("")
        self._line = " " * self._begin + text
        self.margin = self._begin
        self._broken = self._commented = self._fresh = False
