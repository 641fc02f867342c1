"""Natural logarithm."""

from __future__ import annotations

from typing import ClassVar, final

from cnndsl.ir.op import register
from cnndsl.ir.shared.function import Function


@final
@register
class Log(Function):
    """`ln(x)`, of numbers above zero: what spectrograms of sound are brought to before a network sees them."""

    word: ClassVar = "Log"
    examples: ClassVar = (("Exp → Log", (4, 5, 6)), ("Softplus → Log", (7,)))
