"""A tile of results in registers, on its way to memory."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from cnndsl.backends.tvm.kernels.words.functions import finish, is_light
from cnndsl.backends.tvm.kernels.words.nest import Nest
from cnndsl.backends.tvm.plan.groups import Tail


def store_tile(
    n: Nest,
    tail: Tail,
    value: Callable[[int, Any], Any],
    width: int,
    residuals: Sequence[Any],
    result: Any,
    place: Callable[[Any, Any], tuple[Any, ...]],
    lanes: int | None = None,
) -> None:
    """Stores `width` vectors, of all lanes by default, after their tail. `value(position, lane)` is a number in a
    register, and `place(position, lane)` its index in the result and in the residuals."""

    def finished(number: Any, at: tuple[Any, ...]) -> Any:
        return finish(n.tir, number, tail, [r[at] for r in residuals])

    light = all(op is None or is_light(n.tir, op) for op in tail)
    with n.vector(lanes) as lane:
        for p in range(width):
            at = place(p, lane)
            n.store(result, finished(value(p, lane), at) if light else value(p, lane), at)
    if not light:
        # A loop over what was just stored: written out for each register, long tails take LLVM seconds.
        with n.serial(width) as p, n.vector(lanes) as lane:
            at = place(p, lane)
            n.store(result, finished(result[at], at), at)
