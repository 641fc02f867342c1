"""Sine."""

from __future__ import annotations

from typing import ClassVar, final

from cnndsl.ir.op import register
from cnndsl.ir.shared.function import Function


@final
@register
class Sin(Function):
    """`sin(x)`, with x in radians: networks of coordinates have it for an activation (Sitzmann et al., 2020)."""

    word: ClassVar = "Sin"
    examples: ClassVar = (("Sin", (4, 5, 6)), ("Sin", (7,)))
