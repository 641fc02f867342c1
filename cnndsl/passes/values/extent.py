"""How much a value holds: lists of lists are counted before they are walked."""

from __future__ import annotations

from typing import Any

from cnndsl.diagnostics.errors import Refusal
from cnndsl.passes.values.functions import MOST_ITEMS, too_long
from cnndsl.passes.values.layer_value import LayerValue
from cnndsl.passes.values.scope import BlockValue
from cnndsl.syntax.scan import MOST_DEPTH


def extent(value: Any) -> int:
    """How many values a value holds, itself included. Raises `value-too-large`, `too-deep`."""
    count = 0
    pending = [(value, 0)]
    while pending:
        here, depth = pending.pop()
        count += 1
        if isinstance(here, LayerValue | BlockValue):
            here = [argument.value for argument in here.given]
        if not isinstance(here, list | tuple):
            continue
        if count + len(here) > MOST_ITEMS + 1:
            raise too_long(count + len(here) - 1)
        if depth >= MOST_DEPTH:
            raise Refusal(
                "too-deep", f"a value holds others deeper than {MOST_DEPTH}", help="put fewer lists into each other"
            )
        pending += [(item, depth + 1) for item in here]
    return count
