"""Channels dealt out again, and channels spread over positions, written as reshape → permute → reshape."""

from __future__ import annotations

from dataclasses import replace
from math import isqrt

from cnndsl.importing.trace import Node
from cnndsl.importing.web import Web, common

TARGETS = ("reshape",)


def rewrite(web: Web, node: Node) -> Node | None:
    """The shuffle that ends here."""
    turned = web.alone(node.arguments["self"], "permute")
    apart = web.alone(turned.arguments["self"], "reshape") if turned is not None else None
    if turned is None or apart is None:
        return None
    x = apart.arguments["self"]
    before, middle, after = web.shape(x)[1:], apart.shape[1:], node.shape[1:]
    axes, scope = turned.arguments["axes"], common(apart, turned, node)
    groups = len(middle) == len(before) + 1 and middle[2:] == before[1:]
    if groups and after == before and axes == (1, 0, *range(2, len(middle))):
        arguments = {"self": x, "groups": middle[0]}
        return replace(node, target="channel_shuffle", arguments=arguments, scope=scope)
    if len(before) == 3 and len(middle) == 5:
        if axes == (0, 3, 1, 4, 2) and middle[1] == middle[2] and after == _spread(before, middle[1]):
            arguments = {"self": x, "upscale_factor": middle[1]}
            return replace(node, target="pixel_shuffle", arguments=arguments, scope=scope)
        if axes == (0, 2, 4, 1, 3) and middle[2] == middle[4] and before == _spread(after, middle[2]):
            arguments = {"self": x, "downscale_factor": middle[2]}
            return replace(node, target="pixel_unshuffle", arguments=arguments, scope=scope)
    return None


def _spread(shape: tuple[int, ...], r: int) -> tuple[int, ...]:
    c, h, w = shape
    return (c // r**2, h * r, w * r) if isqrt(r * r) == r else shape
