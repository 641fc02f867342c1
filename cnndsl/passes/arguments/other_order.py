"""Arguments without a name in the order of another framework: `BN(16)`, `MaxPool(3)`, `Conv3x3(3, 64)`, `FC(512, 10)`.

All of them would be accepted, or told as something else, and mean another network.
"""

from __future__ import annotations

import re
from typing import Any, TypeGuard

from cnndsl.diagnostics.errors import Diagnostic, Fix, Label
from cnndsl.diagnostics.source import Span
from cnndsl.ir.written import show
from cnndsl.passes.values.layer_value import Given, LayerValue

LEAST_EPS = 0.1
"""From here on an eps is taken for a number of channels."""
_LEAST_STRIDE = 4
_LEAST_STRIDE_OF_ONE = 8
"""Strides, given without a name and beyond the window, that are taken for channels: of any window, and of 1×1."""
_MOST_WINDOW = 15
_LITERAL = re.compile(r"[0-9.]+")
"""A number as it is written: a named value was thought about."""


def in_other_order(layer: LayerValue, values: dict[str, Any], spans: dict[str, Span], span: Span) -> Diagnostic | None:
    """What is wrong with arguments that stand in the order of PyTorch or Keras; None where they do not."""
    unnamed = [given for given in layer.given if given.name is None]
    if layer.op.category == "normalization":
        return _too_large_eps(layer, values.get("eps"), spans.get("eps", span), unnamed, span)
    written = all(_LITERAL.fullmatch(given.span.text) and _number(given.value) for given in unnamed)
    if not unnamed or not written or not span.text.startswith(layer.word):
        return None
    numbers = [given.value for given in unnamed]
    named = {given.name: given.span.text for given in layer.given if given.name is not None}
    at = unnamed[0].span
    without_window = "window" not in values and layer.window is None
    if layer.op.word in ("MaxPool", "AvgPool") and without_window:
        return _pool(layer.word, numbers, named, at, span)
    if layer.word == "Conv" and without_window and len(numbers) >= 2:
        return _windowless(numbers, named, at.to(unnamed[-1].span), span)
    if layer.op.arguments()[:2] == ("units", "bias") and len(numbers) == 2:
        mend = _call(layer.word, [show(numbers[1])], list(named.values()))
        found = f"expected units alone, found {show(numbers[0])} before them"
        return _told("the numbers that come in are inferred", at, found, mend, span)
    return _wide_stride(layer, numbers, named, values.get("stride"), spans.get("stride", span), span)


def _too_large_eps(layer: LayerValue, eps: Any, at: Span, unnamed: list[Given], span: Span) -> Diagnostic | None:
    first = unnamed[0] if unnamed and layer.op.arguments()[0] == "eps" else None
    if first is not None and _number(first.value) and first.value >= LEAST_EPS:
        # Also where an eps follows with its name.
        return _eps(layer, first.value, first.span, span, mends=True)
    return _eps(layer, eps, at, span, mends=bool(unnamed)) if _number(eps) and eps >= LEAST_EPS else None


def _wide_stride(
    layer: LayerValue, numbers: list[Any], named: dict[str, str], stride: Any, at: Span, span: Span
) -> Diagnostic | None:
    names, word, window = layer.op.arguments(), layer.word, layer.window
    place = names.index("stride") if "stride" in names[:2] else len(numbers)
    if layer.op.category != "convolution" or window is None or place >= len(numbers) or not _number(stride):
        return None
    largest = max(window) if isinstance(window, tuple) else window
    if stride <= largest or stride < (_LEAST_STRIDE if largest > 1 else _LEAST_STRIDE_OF_ONE):
        return None
    mend = _call(word, [show(numbers[place])] if place else [], list(named.values()))
    text = f"this is the stride: {show(stride)}, of a window of {largest}"
    keeps = f"`{word}` keeps the channels that come in"
    message = f"`{word}` takes no input channels: they are inferred" if place else keeps
    return _told(message, at, text, mend, span, f"; a stride this wide is named: `stride={show(stride)}`")


def _eps(layer: LayerValue, eps: float, at: Span, span: Span, *, mends: bool) -> Diagnostic:
    first = [given.span.text for given in layer.given if given.span is not at]
    mend = _call(layer.word, first, []) if span.text.startswith(layer.word) and mends else None
    return Diagnostic(
        "out-of-range",
        f"`eps` of `{layer.word}` is {show(eps)}, and it is a small number added to the variance",
        (Label(at, f"expected an eps below {LEAST_EPS}, found {show(eps)}"),),
        notes=("channels are inferred, and no argument",),
        help=f"write `{mend}`" if mend else "leave `eps` out, or give it a small number: `eps=1e-3`",
        fixes=(Fix(span, mend),) if mend else (),
    )


def _pool(word: str, numbers: list[Any], named: dict[str, str], at: Span, span: Span) -> Diagnostic | None:
    window = numbers[0]
    rest = [text for name, text in named.items() if name != "stride"]
    stride = named["stride"].partition("=")[2].strip() if "stride" in named else None
    if not isinstance(window, int) or (len(numbers) == 1 and stride is None and window <= 2):
        return None
    if stride is None and len(numbers) > 1:
        stride = show(numbers[1])
    own = word if window == 2 else f"{word}{window}"
    mend = _call(own, [], rest) if stride in (None, str(window)) else _call(f"{word}{window}", [str(stride)], rest)
    return _told(
        f"the window of `{word}` stands in its word, and its first argument is the stride",
        at,
        f"this is a stride of {show(window)}, with a window of 2",
        mend,
        span,
        f"; a stride of {show(window)} is named: `stride={show(window)}`",
    )


def _windowless(numbers: list[Any], named: dict[str, str], at: Span, span: Span) -> Diagnostic | None:
    channels, window = (numbers[1], numbers[2]) if len(numbers) > 2 else (numbers[0], numbers[1])
    if not isinstance(window, int) or not 1 <= window <= _MOST_WINDOW:
        return None
    pad = ["pad=valid"] if len(numbers) == 3 and window > 1 and "pad" not in named else []
    first = show(channels)
    mend = _call(f"Conv{window}", [first], [*pad, *named.values()] if len(numbers) <= 3 else [])
    message = "the window of `Conv` stands in its word, and input channels are inferred"
    return _told(message, at, "expected channels alone", mend, span, fixed=len(numbers) == 3)


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


def _number(value: Any) -> TypeGuard[int | float]:
    return isinstance(value, int | float) and not isinstance(value, bool)
