"""What merges, repeats and calls ask of the walk that they are part of; `chains.py` answers it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from cnndsl.diagnostics.source import Span
from cnndsl.passes.draft.assembly import Assembly
from cnndsl.passes.draft.flow import Flow
from cnndsl.passes.walk.body import Body
from cnndsl.passes.walk.findings import Findings
from cnndsl.syntax import tree


@dataclass(frozen=True, slots=True)
class Walked:
    """Where a chain led, and whether anything stood on the way (`id` counts, what an `if` removed does not)."""

    flow: Flow
    anything: bool
    left_out: bool = False
    """Whether an `else none` was what remained."""


@dataclass(frozen=True, slots=True)
class Passed:
    """The same of one element. The flow is None where an `if` removed it and nothing had arrived before it."""

    flow: Flow | None
    anything: bool
    left_out: bool = False


class Rounds(Protocol):
    """The repeats of the walk."""

    def begin(self, repeated: tree.Primary | tree.Chain, body: Body) -> None:
        """Makes what the rounds of a repeat are about to gather known in the body that holds the repeat."""


class Walker(Protocol):
    """Turns chains into nodes of `assembly`, and notes in `findings` what is wrong with them."""

    assembly: Assembly
    findings: Findings

    def chain(self, chain: tree.Chain, arriving: Flow | None, body: Body, *, in_middle: bool = False) -> Walked:
        """Follows a chain from the tensor its first element names, else from the one that arrives."""

    def primary(
        self, primary: tree.Primary, flow: Flow | None, body: Body, key: str | None, first: bool
    ) -> tuple[Flow, bool]:
        """What one element without its repeat leads to, and whether anything stood there. `key` is its label, `first`
        whether it begins a chain."""

    @property
    def repeats(self) -> Rounds:
        """What makes the names that repeats gather known."""

    def step(self, span: Span) -> None:
        """Counts an element that was walked. Raises `Stopped` beyond the limit."""
