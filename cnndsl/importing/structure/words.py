"""A layer as a person writes it: arguments at their defaults left out, the window in one number where it is one."""

from __future__ import annotations

from typing import Any

from cnndsl.importing.structure.elements import Word
from cnndsl.ir.op import Op
from cnndsl.ir.tensor import TensorType

_INVISIBLE = {("LayerScale", "init"), ("Scale", "init"), ("PReLU", "init"), ("L2Norm", "init")}


def word_of(op: Op, x: TensorType) -> Word:
    """The word for a layer that this tensor reaches."""
    arguments: dict[str, Any] = {}
    for name in type(op).model_fields:
        value, default = getattr(op, name), type(op).model_fields[name].default
        if name == "channels" and hasattr(op, "window"):
            arguments[name] = value or x.channels
        elif value is not None and value != default:
            arguments[name] = _short(value)
    return Word(op.word, x.rank, tuple(arguments.items()), arguments.get("channels") == x.channels)


def _short(value: Any) -> Any:
    """Whole doubles as integers."""
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e9:
        return int(value)
    return value
