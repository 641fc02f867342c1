"""What somebody who looks on may learn of a walk: which value each name got, and which tensors came to each element."""

from __future__ import annotations

from typing import Any, Protocol

from cnndsl.diagnostics.source import Span
from cnndsl.passes.draft.flow import Flow


class Recorder(Protocol):
    """Is told what a walk meets, once for every round and call that meets it."""

    def named(self, span: Span, value: Any) -> None:
        """The name written at `span` stands for this value now."""

    def passed(self, span: Span, arrived: Flow | None, left: Flow | None) -> None:
        """The element written at `span` made `left` of `arrived`; None where nothing arrives or it is left out."""
