"""What is found wrong while a program is walked, each fault once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from cnndsl.diagnostics.errors import CnnError, Diagnostic, Label
from cnndsl.diagnostics.source import Span
from cnndsl.passes.draft.flow import Wire
from cnndsl.passes.walk.recorder import Recorder

MOST_REPORTED = 50


class Cancelled(Exception):
    """Nobody waits for the walk any more."""


class Findings:
    """Diagnostics as they are found, each once however many rounds or calls meet it."""

    def __init__(self) -> None:
        self.found: list[Diagnostic] = []
        self.calls: list[Span] = []
        """Calls of blocks that are being walked, the innermost last."""
        self.entrances: list[Wire] = []
        """The network's inputs, as far as they were read: known also where it could not be built."""
        self.steps = 0
        """Elements of chains that were walked: what a walk costs, on a busy machine as on an idle one."""
        self.recorder: Recorder | None = None
        """Who looks on, if anybody does."""
        self.cancelled: Callable[[], bool] | None = None
        """Says whether nobody waits for the walk any more."""
        self._seen: set[tuple[str, str, int]] = set()

    @property
    def full(self) -> bool:
        """Whether enough has been found for one reading."""
        return len(self.found) >= MOST_REPORTED

    def add(self, error: CnnError) -> None:
        for diagnostic in error.diagnostics:
            span = diagnostic.span
            key = (diagnostic.id, span.source.name if span else "", span.start if span else 0)
            if key in self._seen or len(self.found) >= MOST_REPORTED:
                continue
            self._seen.add(key)
            self.found.append(self._called(diagnostic))

    def _called(self, diagnostic: Diagnostic) -> Diagnostic:
        """The diagnostic, with the call of the block in which it was met."""
        if not self.calls or diagnostic.span == self.calls[-1]:
            return diagnostic
        return replace(diagnostic, labels=(*diagnostic.labels, Label(self.calls[-1], "in this call")))
