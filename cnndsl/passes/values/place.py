"""Where a value is worked out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, cast

from cnndsl.diagnostics.errors import CnnError, fault
from cnndsl.diagnostics.source import Span
from cnndsl.passes.draft.flow import LOST, Flow, LostValue
from cnndsl.passes.values.scope import Scope


@dataclass(frozen=True, slots=True)
class Place:
    """What names mean there, the tensor that arrives, the one that entered.

    `words` are bare words of the argument at hand, such as `same`.
    """

    scope: Scope
    here: Flow
    entered: Flow
    words: frozenset[str] = frozenset()
    elsewhere: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """The bare words of all arguments, by argument."""
    absent: Callable[[Span], CnnError] | None = None
    """The error for `in` where nothing has entered yet."""

    def among(self, words: frozenset[str], elsewhere: Mapping[str, frozenset[str]]) -> Place:
        """The same place in an argument that knows these bare words, of a layer whose other arguments know others."""
        return Place(self.scope, self.here, self.entered, words, elsewhere, self.absent)

    def arrived(self, flow: Flow, span: Span) -> Flow:
        """What flows here. Raises `missing-input` and its kin where nothing does, and LostValue."""
        if flow != ():
            return cast(Flow, known(flow))
        if self.absent is not None:
            raise self.absent(span)
        raise fault(
            "missing-input", "nothing enters here", span, help="say it of a tensor that has a name: `x.channels`"
        )


def known(value: Any) -> Any:
    """The value. Raises LostValue for what an error has lost."""
    if value is LOST:
        raise LostValue
    return value
