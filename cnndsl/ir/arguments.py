"""Kinds of arguments that layers share: numbers per axis, windows and padding.

Validators raise `PydanticCustomError` whose type is a diagnostic's id, so the resolver only adds the place.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field
from pydantic_core import PydanticCustomError

from cnndsl.diagnostics.errors import Refusal
from cnndsl.ir.tensor import TensorType
from cnndsl.ir.window import Window
from cnndsl.ir.written import show

MOST = 2**31


def whole(value: Any, least: int = 1) -> int:
    """An integer within the limits, or a diagnostic's reason."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise PydanticCustomError("wrong-type", "expected a whole number, found {found}", {"found": show(value)})
    if isinstance(value, float):
        if not value.is_integer():
            raise PydanticCustomError(
                "not-an-integer", "expected a whole number, found {found}", {"found": show(value)}
            )
        value = int(value)
    assert isinstance(value, int)
    if not least <= value <= MOST:
        bound = f"at least {least}" if value < least else "at most 2^31"
        raise PydanticCustomError(
            "out-of-range", "expected {bound}, found {found}", {"bound": bound, "found": show(value)}
        )
    return value


def _per_axis(least: int) -> Any:
    def check(value: Any) -> Any:
        if isinstance(value, tuple | list):
            if not 1 <= len(value) <= 3:
                raise PydanticCustomError(
                    "out-of-range", "expected one to three numbers, found {found}", {"found": show(value)}
                )
            return tuple(whole(item, least) for item in value)
        return value if value is None else whole(value, least)

    return BeforeValidator(check)


def _integer(least: int) -> Any:
    return BeforeValidator(lambda value: value if value is None else whole(value, least))


Positive = Annotated[int, _integer(1), Field(ge=1, le=MOST)]
"""A whole number from 1."""
Natural = Annotated[int, _integer(0), Field(ge=0, le=MOST)]
"""A whole number from 0."""
Axes = Annotated[int | tuple[int, ...], _per_axis(1)]
"""A whole number from 1 for every axis, or one for each."""
Naturals = Annotated[int | tuple[int, ...], _per_axis(0)]
"""A whole number from 0 for every axis, or one for each."""


def _numbers(value: Any, *, positive: bool = False) -> Any:
    items = value if isinstance(value, tuple | list) else (value,)
    if not items or any(isinstance(item, bool) or not isinstance(item, int | float) for item in items):
        raise PydanticCustomError(
            "wrong-type", "expected a number, or one for each channel, found {found}", {"found": show(value)}
        )
    if positive and min(items) <= 0:
        raise PydanticCustomError("out-of-range", "expected numbers above 0, found {found}", {"found": show(value)})
    return tuple(map(float, items)) if isinstance(value, tuple | list) else float(value)


Numbers = Annotated[float | tuple[float, ...], BeforeValidator(_numbers)]
"""A number, or one for each channel."""
PositiveNumbers = Annotated[float | tuple[float, ...], BeforeValidator(lambda value: _numbers(value, positive=True))]
"""A number above 0, or one for each channel."""


PADDINGS = ("same", "valid", "same_tf", "causal")


def _padding(value: Any) -> Any:
    if isinstance(value, str):
        if value not in PADDINGS:
            raise PydanticCustomError(
                "wrong-type",
                "expected {words} or numbers, found {found}",
                {"words": ", ".join(PADDINGS), "found": show(value)},
            )
        return value
    if isinstance(value, tuple | list):
        return tuple(
            tuple(whole(n, 0) for n in item) if isinstance(item, tuple | list) else whole(item, 0) for item in value
        )
    return whole(value, 0)


Pad = Annotated[
    Literal["same", "valid", "same_tf", "causal"] | int | tuple[int | tuple[int, int], ...], BeforeValidator(_padding)
]
"""`same`, `valid`, `same_tf`, `causal`, a number, one per axis, or `(before, after)` pairs."""


def per_axis(value: int | tuple[int, ...], rank: int, argument: str) -> tuple[int, ...]:
    """One number for each of `rank` axes. Raises `wrong-rank` when another number of them is given."""
    if isinstance(value, int):
        return (value,) * rank
    if len(value) != rank:
        one = value[0] if value else 1
        raise Refusal(
            "wrong-rank",
            f"`{argument}` has {len(value)} axes where the input has {rank}",
            argument=argument,
            notes=(f"expected {_one_or(rank)}, found {show(value)}",),
            help=f"one number holds for every axis: `{argument}={one}`"
            + (f", or in the word, as `Conv{one}`" if argument == "window" else ""),
        )
    return value


def _one_or(rank: int) -> str:
    return "one number" if rank == 1 else f"one number or {rank}"


def spatial(x: TensorType, word: str) -> None:
    """Refuses what is not a map with axes to slide over."""
    if x.kind != "map" or x.channel_axis != 0 or x.rank > 3:
        found = f"a vector of {x.channels}" if x.kind == "vector" else f"tokens {x}" if x.kind == "tokens" else f"{x}"
        raise Refusal(
            "wrong-rank",
            f"`{word}` slides over a map, and here arrives {found}",
            notes=(f"expected channels and one to three axes behind them, found {found}",),
            help=_as_map(x, word),
        )
    numeric(x, word)


def _as_map(x: TensorType, word: str) -> str:
    """What makes a map to slide over of what is none."""
    if x.kind == "vector":
        return f"put `{word}` before the layer that flattens"
    if x.kind == "tokens":
        return "turn tokens into a map with `ToMap`"
    if x.channel_axis != 0 and x.rank <= 3:
        order = [x.channel_axis, *(n for n in range(len(x.shape)) if n != x.channel_axis)]
        return f"put the channels (ᶜ) first: `Permute({', '.join(map(str, order))})`"
    return "lay the axes out as one to three behind the channels with `Reshape`"


def numeric(x: TensorType, word: str) -> None:
    """Refuses a tensor of whole numbers, such as word indices."""
    if not x.dtype.startswith(("float", "bfloat")):
        raise Refusal(
            "wrong-type",
            f"`{word}` computes with real numbers, and here arrives {x} of {x.dtype}",
            notes=(f"expected float32, found {x.dtype}",),
            help="turn indices into vectors with `Embedding` first",
        )


def channels_first(x: TensorType, word: str) -> None:
    """Refuses a tensor whose channels are behind other axes, and whole numbers."""
    numeric(x, word)
    if x.channel_axis != 0:
        raise Refusal(
            "wrong-rank",
            f"`{word}` normalises maps and vectors, and here arrives {x} with its channels on axis {x.channel_axis}",
            notes=(f"expected channels first, found them on axis {x.channel_axis} of {x}",),
            help="use `LN` on tokens",
        )


@lru_cache(maxsize=1024)
def make_window(
    size: tuple[int, ...],
    kernel: tuple[int, ...],
    stride: tuple[int, ...],
    pad: Any,
    dilation: tuple[int, ...],
    *,
    ceil: bool = False,
) -> Window:
    """The window over an input of this size. `same` is `(k-1)//2·dilation` on both sides, `same_tf` gives
    `ceil(size / stride)` positions with the odd row after, `causal` puts `(k-1)·dilation` before the first axis."""
    before, after = zip(*_pads(size, kernel, stride, pad, dilation), strict=True)
    return Window(kernel=kernel, stride=stride, before=before, after=after, dilation=dilation, ceil=ceil)


def _pads(
    size: tuple[int, ...], kernel: tuple[int, ...], stride: tuple[int, ...], pad: Any, dilation: tuple[int, ...]
) -> list[tuple[int, int]]:
    rank = len(size)
    same = [((k - 1) // 2 * d, (k - 1) // 2 * d) for k, d in zip(kernel, dilation, strict=True)]
    if pad == "same":
        return same
    if pad == "valid":
        return [(0, 0)] * rank
    if pad == "causal":
        return [((kernel[0] - 1) * dilation[0], 0), *same[1:]]
    if pad == "same_tf":
        totals = [
            max((-(-n // s) - 1) * s + (k - 1) * d + 1 - n, 0)
            for n, k, s, d in zip(size, kernel, stride, dilation, strict=True)
        ]
        return [(total // 2, total - total // 2) for total in totals]
    if isinstance(pad, int):
        return [(pad, pad)] * rank
    if len(pad) != rank:
        raise Refusal(
            "wrong-rank",
            f"`pad` has {len(pad)} axes where the input has {rank}",
            argument="pad",
            notes=(f"expected {_one_or(rank)}, found {show(pad)}",),
            help="write one number, one per axis, or one `(before, after)` pair per axis",
        )
    return [item if isinstance(item, tuple) else (item, item) for item in pad]
