"""What travels along a chain while a program is expanded."""

from __future__ import annotations

from dataclasses import dataclass

from cnndsl.diagnostics.source import Span
from cnndsl.ir.op import Op
from cnndsl.ir.tensor import TensorType


class Lost:
    """A tensor that an error upstream has taken away: what follows keeps quiet about it."""


LOST = Lost()


class LostValue(Exception):
    """A value that depends on a lost tensor. Never reaches a user: its cause has been reported."""


@dataclass(eq=False, slots=True)
class Wire:
    """A tensor: its type, and the draft or input it comes from."""

    type: TensorType
    source: Draft | Entrance


@dataclass(eq=False, slots=True)
class Entrance:
    """A graph input in the making."""

    name: str
    span: Span


@dataclass(eq=False, slots=True)
class Draft:
    """A node in the making: all but its final name."""

    op: Op
    inputs: tuple[Wire, ...]
    type: TensorType
    span: Span
    frame: int | None
    shared_with: Draft | None = None
    name: str = ""
    weighted: bool = False
    """Whether it has weights of its own."""
    uses: int = 0
    """How often a share has lent this node's weights."""


Flow = Wire | tuple[Wire, ...] | Lost


Spans = dict[str, Span]
