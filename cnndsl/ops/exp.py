"""Exponential function."""

from __future__ import annotations

from typing import ClassVar, final

from cnndsl.ir.op import register
from cnndsl.ir.shared.function import Function


@final
@register
class Exp(Function):
    """`exp(x)`: always above zero. Networks that predict a size predict its logarithm (Redmon and Farhadi, 2016)."""

    word: ClassVar = "Exp"
    never_negative: ClassVar = True
    examples: ClassVar = (("Exp", (4, 5, 6)), ("Exp", (7,)))
