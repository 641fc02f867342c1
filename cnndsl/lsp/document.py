"""An open text: what is known of it now, and what is being worked out."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from lsprotocol import types

from cnndsl.diagnostics.source import Source
from cnndsl.lsp.addresses import name_of, path_of
from cnndsl.lsp.positions import Lines
from cnndsl.service.analysis import Analysis
from cnndsl.service.answers import Fact, Problem
from cnndsl.service.facts import kept, moved


@dataclass(eq=False)
class Document:
    """A text that a client has open. All of it but `generation` belongs to the thread that reads messages."""

    uri: str
    text: str
    version: int
    encoding: str
    path: Path | None = field(init=False)
    generation: int = 0
    """Goes up with each change: what was begun for an older one is given up."""
    focus: int = 0
    """The offset at which somebody has typed or looked last."""
    analysis: Analysis | None = None
    """What is known of the text, or of the one before."""
    facts: tuple[Fact, ...] = ()
    problems: tuple[Problem, ...] = ()
    sound: bool = True
    """Whether the model in which somebody types could be built; while it cannot, facts from before are marked."""
    settled: asyncio.Event = field(default_factory=asyncio.Event)
    """Set while what is known is about the text as it is."""
    _lines: Lines | None = None
    _read: Analysis | None = None
    """The tree of the text, while nothing else is known of it."""

    def __post_init__(self) -> None:
        self.path = path_of(self.uri)

    @property
    def lines(self) -> Lines:
        if self._lines is None or self._lines.text is not self.text:
            self._lines = Lines(self.text, self.encoding)
        return self._lines

    @property
    def source(self) -> Source:
        return Source(name_of(self.uri), self.text)

    def change(self, text: str, version: int) -> None:
        """Takes a new text; facts go along with their lines, marked as stale."""
        if text == self.text:
            self.version = version
            return
        self.facts = kept(self.facts, self.text, text, (), whole=False)
        shifted = moved(self.focus, self.text, text)
        first = _first_difference(self.text, text)
        self.focus = first if shifted is None or first != len(text) else shifted
        self.text, self.version = text, version
        self.begin()

    def begin(self) -> int:
        """Marks what is known as old; returns the number of what is about to be worked out."""
        self.generation += 1
        self.settled.clear()
        return self.generation

    def current(self) -> Analysis:
        """What is known of the text as it is, at least its tree."""
        known = self.analysis
        if known is not None and known.source.text == self.text:
            return known
        if self._read is None or self._read.source.text != self.text:
            self._read = Analysis(self.source, self.path)
        return self._read

    async def known(self, seconds: float) -> Analysis:
        """The same, after waiting a little for what is being worked out."""
        if not self.settled.is_set():
            with suppress(TimeoutError):
                await asyncio.wait_for(self.settled.wait(), seconds)
        return self.current()


def changed(document: Document, changes: Iterable[types.TextDocumentContentChangeEvent]) -> str:
    """The text once changes were made, of the whole or of ranges."""
    text = document.text
    for change in changes:
        if isinstance(change, types.TextDocumentContentChangePartial):
            lines = Lines(text, document.encoding)
            start, end = lines.offset(change.range.start), lines.offset(change.range.end)
            text = text[:start] + change.text + text[max(start, end) :]
        else:
            text = change.text
    return text


def _first_difference(old: str, new: str) -> int:
    low, high = 0, min(len(old), len(new))
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if old[low:middle] == new[low:middle] else (low, middle - 1)
    return low
