"""Which input sizes a network takes, found by trial: `a multiple of 32, from 32`.

Every size in a stretch is built, with nothing run; a rule is stated only if it says exactly which of them can be.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import reduce
from itertools import pairwise
from math import gcd

from cnndsl.ir.graph import Graph
from cnndsl.ir.tensor import TensorType

STRETCH = 128
"""Sizes tried from the present one on: a step is recognised up to half of it."""
_AXES = {1: ("length",), 2: ("height", "width"), 3: ("depth", "height", "width")}

Fits = Callable[[str, tuple[int, ...]], tuple[bool, int]]
"""Whether the network can be built with this shape of the named input, and how many elements of its chains were walked to
find out."""


@dataclass(frozen=True)
class Rule:
    """A size is valid if it is at least `least` and `step·k + offset`."""

    least: int
    step: int
    offset: int

    def __str__(self) -> str:
        if self.step == 1:
            return f"any size from {self.least}"
        steps = f"a multiple of {self.step}" if self.offset == 0 else f"{self.step}·k + {self.offset}"
        return f"{steps}, from {self.least}"

    def nearest(self, size: int) -> tuple[int, int]:
        """The valid sizes at or below and above; the least one twice where there is none below."""
        below = size - (size - self.offset) % self.step
        return max(below, self.least), max(below + self.step, self.least)


@dataclass(frozen=True)
class AxisRule:
    """The rule of one axis of one input; None where the sizes tried follow none."""

    input: str
    axis: str
    rule: Rule | None


def valid_sizes(graph: Graph, fits: Fits) -> list[AxisRule]:
    """The rule for each axis of each input behind its channels, the other axes staying as they are."""
    found = []
    for given in graph.inputs:
        names = ("tokens",) if given.type.kind == "tokens" else _AXES.get(given.type.rank, ())
        for name, position in zip(names, _positions(given.type), strict=True):
            rule = find_rule(_along(given.name, given.type, (position,), fits), given.type.shape[position])
            found.append(AxisRule(given.name, name, rule))
    return found


def common_rule(name: str, wanted: TensorType, fits: Fits, steps: int) -> Rule | None:
    """The rule for all axes of an input at once, for a network that cannot be built at its own size; None if none is
    found in as many `steps`."""
    positions = _positions(wanted)
    if not positions:
        return None
    return find_rule(_along(name, wanted, positions, fits), max(wanted.shape[p] for p in positions), steps)


def find_rule(fits: Callable[[int], tuple[bool, int]], start: int, steps: int | None = None) -> Rule | None:
    """The rule that the sizes from `start` on follow; None if they follow none, or if trying them all takes more elements of
    chains than `steps`. Elements are counted, and no clock is read: the answer is the same on a busy machine."""
    stretch = range(start, start + STRETCH)
    valid, walked = [], 0
    for size in stretch:
        if steps is not None and walked > steps:
            return None
        fit, taken = fits(size)
        walked += taken
        if fit:
            valid.append(size)
    if len(valid) < 2:
        return None
    step = reduce(gcd, (b - a for a, b in pairwise(valid)))
    offset = valid[0] % step
    if valid != [size for size in stretch if size % step == offset]:
        return None
    # Downwards a window no longer fits at some size: the last size that does is found by halving.
    low, high = 0, (valid[0] - offset) // step
    while low < high:
        middle = (low + high) // 2
        size = middle * step + offset
        if size > 0 and fits(size)[0]:
            high = middle
        else:
            low = middle + 1
    return Rule(low * step + offset, step, offset)


def _positions(x: TensorType) -> tuple[int, ...]:
    return tuple(i for i in range(len(x.shape)) if i != x.channel_axis)


def _along(name: str, x: TensorType, positions: tuple[int, ...], fits: Fits) -> Callable[[int], tuple[bool, int]]:
    return lambda size: fits(name, tuple(size if i in positions else n for i, n in enumerate(x.shape)))
