"""Softmax."""

from __future__ import annotations

from typing import ClassVar, final

from cnndsl.ir.op import register
from cnndsl.ir.shared.softmaxes import AnySoftmax


@final
@register
class Softmax(AnySoftmax):
    """Turn the channels of each position into probabilities: `exp(x_c) / Σ exp(x)`."""

    word: ClassVar = "Softmax"
    name: ClassVar = "softmax"
    per_position: ClassVar = "softmax"
    never_negative: ClassVar = True
    examples: ClassVar = (("Softmax", (10,)), ("Softmax", (4, 5, 6)), ("Softmax(axis=2)", (4, 5, 6)))
