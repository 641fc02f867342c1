"""Cosine."""

from __future__ import annotations

from typing import ClassVar, final

from cnndsl.ir.op import register
from cnndsl.ir.shared.function import Function


@final
@register
class Cos(Function):
    """`cos(x)`, with x in radians."""

    word: ClassVar = "Cos"
    examples: ClassVar = (("Cos", (4, 5, 6)), ("Cos", (7,)))
