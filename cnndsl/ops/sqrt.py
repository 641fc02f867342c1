"""Square root."""

from __future__ import annotations

from typing import ClassVar, final

from cnndsl.ir.op import register
from cnndsl.ir.shared.function import Function


@final
@register
class Sqrt(Function):
    """`√x`, of numbers from zero on."""

    word: ClassVar = "Sqrt"
    never_negative: ClassVar = True
    examples: ClassVar = (("Square → Sqrt", (4, 5, 6)), ("Softplus → Sqrt", (7,)))
