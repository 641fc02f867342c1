"""Absolute value."""

from __future__ import annotations

from typing import Any, ClassVar, final

from cnndsl.ir.op import register
from cnndsl.ir.shared.function import Function


@final
@register
class Abs(Function):
    """The size of each number, without its sign (Jarrett et al., 2009: rectification)."""

    word: ClassVar = "Abs"
    never_negative: ClassVar = True
    examples: ClassVar = (("Abs", (4, 5, 6)), ("Abs", (7,)))

    def pointwise(self, tir: Any, value: Any) -> Any:
        return tir.max(value, -value)
