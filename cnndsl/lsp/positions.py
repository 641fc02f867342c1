"""Offsets as lines and columns, and back. Lines end as the protocol says: `\\n`, `\\r\\n` or `\\r`, and nowhere else."""

from __future__ import annotations

import re
from bisect import bisect_right

from lsprotocol import types

_LINE_END = re.compile(r"\r\n|\n|\r")
_UNITS = {"utf-8": "utf-8", "utf-16": "utf-16-le", "utf-32": "utf-32-le"}
_WIDTH = {"utf-8": 1, "utf-16": 2, "utf-32": 4}


class Lines:
    """The lines of a text; columns count bytes (utf-8), pairs of bytes (utf-16) or code points (utf-32)."""

    def __init__(self, text: str, encoding: str) -> None:
        self.text = text
        self.encoding = encoding if encoding in _UNITS else "utf-16"
        self.ascii = text.isascii()
        self.starts = [0, *(match.end() for match in _LINE_END.finditer(text))]

    def position(self, offset: int) -> types.Position:
        """Line and column, both from 0."""
        offset = max(0, min(offset, len(self.text)))
        line = bisect_right(self.starts, offset) - 1
        return types.Position(line=line, character=self._units(self.text[self.starts[line] : offset]))

    def range(self, start: int, end: int) -> types.Range:
        """The range between two offsets."""
        return types.Range(start=self.position(start), end=self.position(end))

    def offset(self, position: types.Position) -> int:
        """The offset of a line and column. Beyond the end of a line it is that end, beyond the last line the text's end."""
        if position.line >= len(self.starts):
            return len(self.text)
        start = self.starts[max(position.line, 0)]
        line = self.text[start : self._end(position.line)]
        if self.ascii or self.encoding == "utf-32":
            return start + max(0, min(position.character, len(line)))
        data = line.encode(_UNITS[self.encoding], "surrogatepass")
        cut = data[: max(position.character, 0) * _WIDTH[self.encoding]]
        return start + len(cut.decode(_UNITS[self.encoding], "ignore"))

    def _end(self, line: int) -> int:
        """Where a line ends, without its line end."""
        end = self.starts[line + 1] if line + 1 < len(self.starts) else len(self.text)
        while end > self.starts[max(line, 0)] and self.text[end - 1] in "\r\n":
            end -= 1
        return end

    def _units(self, text: str) -> int:
        if self.ascii or self.encoding == "utf-32":
            return len(text)
        return len(text.encode(_UNITS[self.encoding], "surrogatepass")) // _WIDTH[self.encoding]
