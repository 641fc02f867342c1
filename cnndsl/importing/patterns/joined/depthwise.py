"""A depthwise convolution and a 1×1 convolution behind it whose weights lie together: `SepConv`."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from cnndsl.importing.trace import Node
from cnndsl.importing.web import Web, common

TARGETS = ("conv1d", "conv2d", "conv3d")


def rewrite(web: Web, node: Node) -> Node | None:
    """One layer of the two, where their keys end in `depthwise` and `pointwise`."""
    first = web.alone(node.arguments["input"], *TARGETS)
    if first is None or first.target != node.target or not _mixes_alone(web, node):
        return None
    label = _label(web, first, "depthwise")
    channels = web.shape(first.arguments["input"])[1]
    each = first.arguments.get("groups", 1) == channels == first.shape[1]
    both = (first.arguments.get("bias") is None) == (node.arguments.get("bias") is None)
    if label is None or label != _label(web, node, "pointwise") or not each or not both or channels == 1:
        return None
    rest = {key: value for key, value in first.arguments.items() if key not in ("weight", "bias", "groups")}
    weights = {
        f"{part}.{slot}": conv.arguments[slot]
        for part, conv in (("depthwise", first), ("pointwise", node))
        for slot in ("weight", "bias")
        if conv.arguments.get(slot) is not None
    }
    return replace(node, target="sep_conv", arguments={**rest, **weights}, scope=common(first, node))


def _mixes_alone(web: Web, node: Node) -> bool:
    """Whether a convolution does nothing but mix the channels of each position."""
    weight, given = web.weight(node.arguments["weight"]), node.arguments
    padding = given.get("padding", 0)
    return (
        weight is not None
        and set(weight.shape[2:]) == {1}
        and given.get("groups", 1) == 1
        and set(_numbers(given["stride"])) == {1}
        and "pads" not in given
        and (padding in ("same", "valid") or not any(_numbers(padding)))
    )


def _numbers(value: Any) -> list[int]:
    return [value] if isinstance(value, int) else list(value)


def _label(web: Web, node: Node, part: str) -> str | None:
    weight = web.weight(node.arguments["weight"])
    ending = f".{part}.weight"
    return weight.name.removesuffix(ending) if weight is not None and weight.name.endswith(ending) else None
