"""What every piece of a tree has: its place in the text."""

from __future__ import annotations

from dataclasses import dataclass, field

from cnndsl.source import Span


@dataclass(frozen=True, slots=True)
class Node:
    """A piece of the text."""

    span: Span = field(compare=False, repr=False)
