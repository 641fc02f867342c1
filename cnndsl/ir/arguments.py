"""Kinds of arguments that layers share: numbers per axis, windows and padding.

Validators raise `PydanticCustomError` whose type is a diagnostic's id, so the resolver only adds the place.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field
from pydantic_core import PydanticCustomError

from cnndsl.diagnostics.errors import Refusal
from cnndsl.ir.written import show

MOST_SIZE = 2**31
"""The largest whole number that an argument or a size may be."""


def whole(value: Any, least: int = 1) -> int:
    """The value as an integer from `least` to `MOST_SIZE`. Raises `PydanticCustomError` (wrong-type, not-an-integer,
    out-of-range)."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise PydanticCustomError("wrong-type", "expected a whole number, found {found}", {"found": show(value)})
    if isinstance(value, float):
        if not value.is_integer():
            raise PydanticCustomError(
                "not-an-integer", "expected a whole number, found {found}", {"found": show(value)}
            )
        value = int(value)
    assert isinstance(value, int)
    if not least <= value <= MOST_SIZE:
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


Positive = Annotated[int, _integer(1), Field(ge=1, le=MOST_SIZE)]
"""A whole number from 1."""
Natural = Annotated[int, _integer(0), Field(ge=0, le=MOST_SIZE)]
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


Padding = Annotated[
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
            notes=(f"expected one number{'' if rank == 1 else f' or {rank}'}, found {show(value)}",),
            help=f"one number holds for every axis: `{argument}={one}`"
            + (f", or in the word, as `Conv{one}`" if argument == "window" else ""),
        )
    return value
