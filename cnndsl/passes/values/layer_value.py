"""Layers as values, with the arguments they have been given so far."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from cnndsl.diagnostics.source import Span
from cnndsl.ir.op import Op


@dataclass(frozen=True, slots=True)
class Given:
    """An argument's worked-out value; a positional one has no name."""

    name: str | None
    value: Any
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class LayerValue:
    """A layer as a value: its op's class, the window in its word, the arguments so far."""

    op: type[Op]
    word: str
    window: int | tuple[int, ...] | None
    given: tuple[Given, ...]
    presets: tuple[Given, ...] = field(compare=False, default=())
    """Defaults in force where the word was written; any argument goes before them."""

    def __str__(self) -> str:
        return self.word


@dataclass(frozen=True, slots=True)
class IdentityValue:
    """`id` as a value: the layer that does nothing and leaves no trace."""

    def __str__(self) -> str:
        return "id"


IDENTITY = IdentityValue()
