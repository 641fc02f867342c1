"""Arguments without a name in the order of another framework: `BN(16)`, `MaxPool(3)`, `Conv3x3(3, 64)`, `FC(512, 10)`.

All of them would be accepted, or told as something else, and mean another network.
"""

from __future__ import annotations

from typing import Any

from cnndsl.diagnostics.errors import Diagnostic, Fix, Label
from cnndsl.diagnostics.source import Span
from cnndsl.ir.written import show
from cnndsl.passes.values.layer_value import LayerValue

LEAST_EPS = 0.1
"""From here on an eps is taken for a number of channels."""
_LEAST_STRIDE = 4
_LEAST_STRIDE_OF_ONE = 8
"""Strides, given without a name and beyond the window, that are taken for channels: of any window, and of 1×1."""
_MOST_WINDOW = 15


def in_other_order(layer: LayerValue, values: dict[str, Any], spans: dict[str, Span], span: Span) -> Diagnostic | None:
    """What is wrong with arguments that stand in the order of PyTorch or Keras; None where they do not."""
    unnamed = [given for given in layer.given if given.name is None]
    numbers = [given.value for given in unnamed]
    whole = span.text
    norm = layer.op.category == "normalization"
    if norm and layer.op.arguments()[0] == "eps" and numbers and _number(numbers[0]) and numbers[0] >= LEAST_EPS:
        # Also where an eps follows with its name.
        return _eps(layer, numbers[0], unnamed[0].span, span, 1)
    if _number(eps := values.get("eps")) and eps >= LEAST_EPS and norm:
        return _eps(layer, eps, spans.get("eps", span), span, len(unnamed))
    if not all(_number(n) for n in numbers) or not numbers or not whole.startswith(layer.word):
        return None
    word, names = layer.word, layer.op.arguments()
    named = [given.span.text for given in layer.given if given.name is not None]
    if layer.op.word in ("MaxPool", "AvgPool") and "window" not in values and layer.window is None:
        if any(given.name == "stride" for given in layer.given):
            stride = [given.span.text.partition("=")[2].strip() for given in layer.given if given.name == "stride"]
            rest = [given.span.text for given in layer.given if given.name not in (None, "stride")]
            numbers, named = [numbers[0], *stride], rest
        return _pool(word, numbers, named, unnamed[0].span, span)
    if word == "Conv" and layer.window is None and "window" not in values and len(numbers) >= 2:
        return _windowless(numbers, named, unnamed[0].span.to(unnamed[-1].span), span)
    if names[:2] == ("units", "bias") and len(numbers) == 2:
        mend = _call(word, [show(numbers[1])], named)
        return _told(
            "the numbers that come in are inferred",
            unnamed[0].span,
            f"expected units alone, found {show(numbers[0])} before them",
            mend,
            span,
        )
    stride = values.get("stride")
    place = names.index("stride") if "stride" in names[:2] else len(numbers)
    if layer.op.category == "convolution" and layer.window is not None and place < len(numbers) and _number(stride):
        window = max(layer.window) if isinstance(layer.window, tuple) else layer.window
        if stride > window and stride >= (_LEAST_STRIDE if window > 1 else _LEAST_STRIDE_OF_ONE):
            mend = _call(word, [show(n) for n in numbers[place : place + 1]] if place else [], named)
            text = f"this is the stride: {show(stride)}, of a window of {window}"
            message = (
                f"`{word}` takes no input channels: they are inferred"
                if place
                else f"`{word}` keeps the channels that come in"
            )
            return _told(
                message, spans["stride"], text, mend, span, f"; a stride this wide is named: `stride={show(stride)}`"
            )
    return None


def _eps(layer: LayerValue, eps: float, at: Span, span: Span, unnamed: int) -> Diagnostic:
    first = [given.span.text for given in layer.given if given.span is not at]
    mend = _call(layer.word, first, []) if span.text.startswith(layer.word) and unnamed else None
    return Diagnostic(
        "out-of-range",
        f"`eps` of `{layer.word}` is {show(eps)}, and it is a small number added to the variance",
        (Label(at, f"expected an eps below {LEAST_EPS}, found {show(eps)}"),),
        notes=("channels are inferred, and no argument",),
        help=f"write `{mend}`" if mend else "leave `eps` out, or give it a small number: `eps=1e-3`",
        fixes=(Fix(span, mend),) if mend else (),
    )


def _pool(word: str, numbers: list[Any], named: list[str], at: Span, span: Span) -> Diagnostic | None:
    window = numbers[0]
    if not isinstance(window, int) or (len(numbers) == 1 and window <= 2):
        return None
    if len(numbers) == 1 or str(numbers[1]) == str(window):
        mend = _call(word if window == 2 else f"{word}{window}", [], named)
    else:
        mend = _call(f"{word}{window}", [str(numbers[1])], named)
    return _told(
        f"the window of `{word}` stands in its word, and its first argument is the stride",
        at, f"this is a stride of {show(window)}, with a window of 2", mend, span, f"; a stride of {show(window)} is named: `stride={show(window)}`",
    )  # fmt: skip


def _windowless(numbers: list[Any], named: list[str], at: Span, span: Span) -> Diagnostic | None:
    channels, window = (numbers[1], numbers[2]) if len(numbers) > 2 else (numbers[0], numbers[1])
    if not isinstance(window, int) or not 1 <= window <= _MOST_WINDOW:
        return None
    pad = ["pad=valid"] if len(numbers) == 3 and window > 1 and not any(n.startswith("pad") for n in named) else []
    mend = None if len(numbers) > 3 else _call(f"Conv{window}", [show(channels)], [*pad, *named])
    return _told(
        "the window of `Conv` stands in its word, and input channels are inferred",
        at,
        "expected channels alone",
        mend or f"Conv{window}({show(channels)})",
        span,
        fixed=mend is not None and len(numbers) == 3,
    )


def _call(word: str, first: list[str], named: list[str]) -> str:
    arguments = ", ".join([*first, *named])
    return f"{word}({arguments})" if arguments else word


def _told(
    message: str, at: Span, found: str, mend: str, span: Span, more: str = "", *, fixed: bool = True
) -> Diagnostic:
    return Diagnostic(
        "other-order",
        message,
        (Label(at, found),),
        help=f"write `{mend}`{more}",
        fixes=(Fix(span, mend),) if fixed else (),
    )


def _number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
