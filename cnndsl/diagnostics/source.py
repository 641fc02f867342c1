"""Program text, and places in it."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, field
from functools import cached_property

from pydantic import BaseModel, ConfigDict

COMMAND_LINE = "the command line"
"""The name of the source that FILE on the command line is."""


@dataclass(frozen=True)
class Source:
    """A program's text, and the name by which diagnostics know it; lines and columns count characters from 1."""

    name: str
    text: str = field(repr=False)

    @cached_property
    def _line_starts(self) -> list[int]:
        starts = [0]
        position = self.text.find("\n")
        while position >= 0:
            starts.append(position + 1)
            position = self.text.find("\n", position + 1)
        return starts

    def line_and_column(self, offset: int) -> tuple[int, int]:
        """Line and column, both from 1, of a character offset."""
        line = bisect_right(self._line_starts, offset)
        return line, offset - self._line_starts[line - 1] + 1

    def offset(self, line: int, column: int) -> int:
        """The character offset of a line and a column, both from 1."""
        return self._line_starts[line - 1] + column - 1

    def line(self, number: int) -> str:
        """The text of a line, counted from 1, without its line end."""
        start = self._line_starts[number - 1]
        end = self._line_starts[number] if number < len(self._line_starts) else len(self.text)
        return self.text[start:end].rstrip("\r\n")


@dataclass(frozen=True, slots=True)
class Span:
    """A half-open range of character offsets in a source."""

    source: Source
    start: int
    end: int

    def to(self, other: Span) -> Span:
        """From this span's start to the other's end."""
        return Span(self.source, self.start, max(self.end, other.end))

    @property
    def text(self) -> str:
        return self.source.text[self.start : self.end]

    @property
    def place(self) -> Place:
        """The same range as file, lines and columns: what is kept once the text is gone."""
        line, column = self.source.line_and_column(self.start)
        end_line, end_column = self.source.line_and_column(self.end)
        return Place(file=self.source.name, line=line, column=column, end_line=end_line, end_column=end_column)


class Place(BaseModel):
    """A range of a file by lines and columns (from 1, the end column is exclusive)."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")

    file: str
    line: int
    column: int
    end_line: int
    end_column: int

    @property
    def range(self) -> tuple[int, int, int, int]:
        return self.line, self.column, self.end_line, self.end_column

    def span(self, source: Source) -> Span:
        """The same range in the file's text, for a diagnostic that comes after parsing."""
        return Span(source, source.offset(self.line, self.column), source.offset(self.end_line, self.end_column))
