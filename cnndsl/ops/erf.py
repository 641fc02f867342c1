"""Error function."""

from __future__ import annotations

from typing import ClassVar, final

from cnndsl.ir.op import register
from cnndsl.ir.shared.function import Function


@final
@register
class Erf(Function):
    """`2/√π · ∫ exp(-t²) dt` from 0 to x: the part of `GELU` that it is made of where a network spells it out."""

    word: ClassVar = "Erf"
    examples: ClassVar = (("Erf", (4, 5, 6)), ("Erf", (7,)))
