"""Which ops share a box: a convolution with the norm and activation that follow it, as in the figure of a paper."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from cnndsl.backends.drawing.diagram.diagram import HEAVY
from cnndsl.ir.graph import Node

_LIGHT = ("normalization", "activation", "regularization")


def stacks(chain: list[int], node: Callable[[int], Node], follows: Callable[[int, int], bool]) -> Iterator[list[int]]:
    """Divides nodes that stand one after the other in a body into boxes.

    `follows(a, b)` says that `b` reads nothing but `a` and that nobody else reads `a`.
    """
    line: list[int] = []
    for position in chain:
        if line and _joins(node(position)) and _joins(node(line[-1])) and follows(line[-1], position):
            line.append(position)
            continue
        yield from _boxes(line, node)
        line = [position]
    yield from _boxes(line, node)


def _joins(node: Node) -> bool:
    """Whether an op may share a box. Of ops that only move values, those may that look at the same values in another way
    and are written without arguments (Flatten). Upsample makes a larger map, and has a box of its own."""
    flat = node.op.category == "shape" and node.op.view and not node.op.written()
    return node.op.category in (*HEAVY, *_LIGHT, "merge") or flat


def _boxes(line: list[int], node: Callable[[int], Node]) -> Iterator[list[int]]:
    """A line of single ops as boxes with one heavy op each.

    A line that starts with a normalisation is written the pre-activation way (BN → ReLU → Conv): its boxes end with the heavy op.
    A merge takes the activation that follows it, and nothing else.
    """
    categories = [node(position).op.category for position in line]
    if categories[:1] == ["merge"]:
        end = 2 if categories[1:2] == ["activation"] else 1
        yield line[:end]
        line, categories = line[end:], categories[end:]
    before = bool(line) and categories[0] == "normalization" and any(c in HEAVY for c in categories)
    box: list[int] = []
    for position, category in zip(line, categories, strict=True):
        opens = category in HEAVY and not before and not all(node(p).op.category == "shape" for p in box)
        shifts = category == "shape" and bool(box)
        if opens or shifts:
            if box:
                yield box
            box = []
        box.append(position)
        if before and category in HEAVY:
            yield box
            box = []
    if box:
        yield box
