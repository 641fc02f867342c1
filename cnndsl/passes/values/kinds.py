"""Words that diagnostics of the passes share: kinds of values, nearest names."""

from __future__ import annotations

from typing import Any

from cnndsl.ir.written import show
from cnndsl.passes.draft.flow import Lost, Wire
from cnndsl.passes.values.layer_value import IdentityValue, LayerValue
from cnndsl.passes.values.scope import BlockValue, Formula
from cnndsl.passes.values.share import Shared


def kind(value: Any) -> str:
    """What a value is, in a sentence: `the whole number 3`, `the layer ReLU`."""
    if isinstance(value, bool):
        return show(value)
    if isinstance(value, int):
        return f"the whole number {value}"
    if isinstance(value, float):
        return f"the number {value}"
    if isinstance(value, str):
        return f'the text "{value}"'
    if isinstance(value, list):
        return f"a list of {len(value)}"
    if isinstance(value, LayerValue):
        return f"the layer {value.word}"
    if isinstance(value, BlockValue):
        return f"the block {value.definition.name}"
    if isinstance(value, Formula):
        return f"the function {value.node.name}"
    if isinstance(value, IdentityValue):
        return "`id`"
    if isinstance(value, Wire):
        return f"a tensor of {value.type}"
    if isinstance(value, Shared):
        return f"the share {value.statement.name}"
    if isinstance(value, tuple) and value and all(isinstance(v, Wire | Lost) for v in value):
        return f"{len(value)} tensors"
    return f"a tuple of {len(value)}" if isinstance(value, tuple) else "none" if value is None else "something else"
