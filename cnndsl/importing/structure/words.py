"""A layer as a person writes it: arguments at their defaults left out, the window in one number where it is one."""

from __future__ import annotations

from typing import Any

from cnndsl.importing.structure.elements import Word
from cnndsl.ir.op import Op
from cnndsl.ir.tensor import TensorType


def word_of(op: Op, x: TensorType) -> Word:
    """The word for a layer that this tensor reaches."""
    arguments: dict[str, Any] = {}
    for name in type(op).model_fields:
        if name in op.implied:
            continue
        value, default = getattr(op, name), type(op).model_fields[name].default
        if name == "channels" and hasattr(op, "window"):
            arguments[name] = value or x.channels
        elif value is not None and value != default:
            arguments[name] = _short(value)
    return Word(
        op.word, x.rank, tuple(arguments.items()), hasattr(op, "window") and arguments.get("channels") == x.channels
    )


def _short(value: Any) -> Any:
    """Whole doubles as integers."""
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e9:
        return int(value)
    return value


def number(value: float) -> str:
    """A number as a person writes it: `1e-5`, `0.1`."""
    if isinstance(value, int):
        return str(value)
    if value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    text = repr(value)
    if "e" in text:
        mantissa, _, exponent = text.partition("e")
        return f"{mantissa.removesuffix('.0')}e{int(exponent)}"
    if abs(value) <= 1e-3:
        mantissa, _, exponent = f"{value:.17e}".partition("e")
        short = next(s for s in (f"{value:.{n}e}" for n in range(18)) if float(s) == value)
        mantissa, _, exponent = short.partition("e")
        return f"{mantissa}e{int(exponent)}"
    return text
