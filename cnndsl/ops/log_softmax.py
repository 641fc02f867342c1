"""Logarithm of softmax."""

from __future__ import annotations

from typing import ClassVar, final

from cnndsl.ir.op import register
from cnndsl.ir.shared.softmaxes import AnySoftmax


@final
@register
class LogSoftmax(AnySoftmax):
    """The logarithm of each position's probabilities over the channels: `x_c - ln Σ exp(x)`."""

    word: ClassVar = "LogSoftmax"
    name: ClassVar = "log_softmax"
    examples: ClassVar = (("LogSoftmax", (10,)), ("LogSoftmax", (4, 5, 6)), ("LogSoftmax(axis=1)", (4, 5, 6)))
