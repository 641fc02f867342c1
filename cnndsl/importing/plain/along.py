"""Operations along axes, with axes counted without the batch: one form for each, of what it takes and gives."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from cnndsl.importing.plain.turns import turn_of
from cnndsl.importing.trace import Node, Ref


@dataclass(frozen=True)
class Taken:
    """An operation, the tensor it begins with and that one's shape, and how many axes of it are the batch's."""

    node: Node
    first: Ref
    shape: tuple[int, ...]
    base: int


def _permute(given: Taken) -> Node:
    order = turn_of(given.node, given.node.target, len(given.shape))
    return replace(
        given.node,
        target="permute",
        arguments={"self": given.first, "axes": tuple(n - given.base for n in order[given.base :])},
    )


def _axes(given: Taken) -> Node:
    """`dim`, one or several, becomes `axes`: all of them in order, without the batch."""
    axis_or_axes = given.node.arguments.get("dim", given.node.arguments.get("axis"))
    axes = (
        list(range(len(given.shape)))
        if axis_or_axes is None or axis_or_axes == []
        else [axis_or_axes]
        if isinstance(axis_or_axes, int)
        else axis_or_axes
    )
    axes = sorted(axis % len(given.shape) for axis in axes)
    if given.base and 0 in axes:
        return replace(given.node, target=f"{given.node.target} over the batch")
    rest = {k: v for k, v in given.node.arguments.items() if k not in ("dim", "axis", "dtype", "half_to_float")}
    return replace(given.node, arguments=rest | {"axes": tuple(axis - given.base for axis in axes)})


def _slice(given: Taken) -> Node:
    arguments = given.node.arguments
    axis = arguments.get("dim", 0) % len(given.shape) if given.shape else 0
    length = given.shape[axis]
    start = arguments.get("start") or 0
    start = max(start + length, 0) if start < 0 else min(start, length)
    stop = start + arguments["length"] if given.node.target == "narrow" else arguments.get("end")
    stop = length if stop is None else max(stop + length, 0) if stop < 0 else min(stop, length)
    step = arguments.get("step") or 1
    if (start, stop, step) == (0, length, 1):
        return replace(given.node, target="same", arguments={"self": given.first})
    cut = {"self": given.first, "axis": axis - given.base, "start": start, "stop": stop, "step": step}
    return replace(given.node, target="slice", arguments=cut)


def _cat(given: Taken) -> Node:
    axis = given.node.arguments.get("dim", 0) % len(given.shape) if given.shape else 0
    return replace(given.node, arguments={"tensors": given.node.arguments["tensors"], "axis": axis - given.base})


def _normed(given: Taken) -> Node:
    last = len(given.node.arguments["normalized_shape"])
    axes = tuple(range(len(given.shape) - last - given.base, len(given.shape) - given.base))
    rest = {k: v for k, v in given.node.arguments.items() if k not in ("normalized_shape", "cudnn_enable")}
    return replace(given.node, arguments=rest | {"axes": axes})


def _roll(given: Taken) -> Node:
    axes = tuple(axis % len(given.shape) - given.base for axis in given.node.arguments.get("dims") or ())
    return replace(given.node, arguments={"self": given.first, "shifts": given.node.arguments["shifts"], "axes": axes})


def _expand(given: Taken) -> Node:
    return replace(given.node, arguments={"self": given.first})


def _clamp(given: Taken) -> Node:
    arguments = given.node.arguments
    low = arguments.get("min", arguments.get("min_val", -1.0 if "min_val" in arguments else None))
    high = arguments.get("max", arguments.get("max_val"))
    return replace(given.node, arguments={"self": given.first, "min": low, "max": high})


FORMS: Mapping[str, Callable[[Taken], Node]] = {
    **dict.fromkeys(("permute", "transpose", "swapaxes", "t", "mT", "movedim", "moveaxis"), _permute),
    **dict.fromkeys(
        ("mean", "sum", "amax", "amin", "var", "linalg_vector_norm", "softmax", "log_softmax", "glu", "std"), _axes
    ),
    **dict.fromkeys(("slice", "narrow"), _slice),
    **dict.fromkeys(("layer_norm", "rms_norm"), _normed),
    "roll": _roll,
    "expand": _expand,
    "cat": _cat,
    "clamp": _clamp,
}
