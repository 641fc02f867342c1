"""The types of tensors that a merge joins: which fit together, and what to do where they do not."""

from __future__ import annotations

from cnndsl.diagnostics.errors import Refusal
from cnndsl.ir.tensor import TensorType


def stretched(xs: tuple[TensorType, ...], verb: str) -> TensorType:
    """The common type of tensors whose axes are equal or 1. Raises `shape-mismatch` naming the first that differs."""
    result = xs[0]
    for index, x in enumerate(xs[1:], start=1):
        fits = len(x.shape) == len(result.shape) and x.channel_axis == result.channel_axis
        if not fits or any(a != b and 1 not in (a, b) for a, b in zip(result.shape, x.shape, strict=True)):
            raise mismatch(verb, xs, index)
        shape = tuple(max(a, b) for a, b in zip(result.shape, x.shape, strict=True))
        result = TensorType(shape=shape, dtype=result.dtype, channel_axis=result.channel_axis)
    return result


def alike(xs: tuple[TensorType, ...], verb: str) -> TensorType:
    """The common type of tensors of one type. Raises `shape-mismatch` naming the first that differs."""
    for index, x in enumerate(xs):
        if x != xs[0]:
            raise mismatch(verb, xs, index)
    return xs[0]


def mismatch(verb: str, xs: tuple[TensorType, ...], index: int) -> Refusal:
    """The refusal of a merge whose branch `index` is the first that does not fit the first one."""
    first, other = xs[0], xs[index]
    return Refusal(
        "shape-mismatch", f"cannot {verb} {first} and {other}", culprits=(index, 0), help=_mend(first, other)
    )


def _mend(first: TensorType, other: TensorType) -> str:
    if len(first.shape) == len(other.shape) > 1 and first.channel_axis != other.channel_axis:
        order = [n for n in range(len(other.shape)) if n != other.channel_axis]
        order.insert(first.channel_axis, other.channel_axis)
        turned = tuple(other.shape[n] for n in order)
        fits = all(a == b or 1 in (a, b) for a, b in zip(first.shape, turned, strict=True))
        if fits:
            return f"put its channels on the same axis: `Permute({', '.join(map(str, order))})`"
        return (
            f"the channels (ᶜ) are axis {first.channel_axis} of the first and axis {other.channel_axis} of the other: "
            "bring them to the same with `Permute`"
        )
    if first.kind != other.kind or first.rank != other.rank:
        return f"bring both to the same axes: the first is a {first.kind}, the other a {other.kind}"
    small, large = (first, other) if first.elements < other.elements else (other, first)
    strides = [b // a if a and b % a == 0 else 0 for a, b in zip(small.size, large.size, strict=True)]
    if first.size == other.size:
        return f"bring both to the same channels: `Conv1x1({first.channels})` on the other branch"
    if strides and min(strides) == max(strides) > 1:
        # The projection goes on the branch with the larger map; the smaller one says how many channels it should have.
        target = first.channels if small is first else other.channels
        return f"project the branch with {large}: `Conv1x1({target}, stride={strides[0]})`"
    if all(abs(a - b) <= 4 for a, b in zip(small.size, large.size, strict=True)):
        return "crop the larger one with `Crop(like=…)`, reach the size with `Upsample(like=…)`, or take another input size"
    return "give both branches the same stride and padding"
