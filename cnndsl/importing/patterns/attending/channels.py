"""On which axis the channels of a tensor are, while patterns are looked for: the rules of the layers in short."""

from __future__ import annotations

from cnndsl.importing.trace import Node, Ref
from cnndsl.importing.web import Web

_LAST = ("linear", "layer_norm", "rms_norm", "to_tokens", "embedding", "attention", "attend", "rope")
_FIRST = ("conv1d", "conv2d", "conv3d", "batch_norm", "to_map", "pixel_shuffle", "pixel_unshuffle", "group_norm")


def channels_of(web: Web, x: Ref) -> int:
    """The axis, counted without the batch."""
    way: list[Node] = []
    node = web.made(x)
    while node is not None and node.target not in (*_LAST, *_FIRST):
        flowing = next((ref for ref in node.refs() if not web.still(ref)), None)
        if flowing is None:
            break
        way.append(node)
        x, node = flowing, web.made(flowing)
    last = node is not None and node.target in _LAST
    axis = len(web.shape(x)) - 2 if last else 0
    if node is not None and node.target == "linear" and "axis" in node.arguments:
        axis = node.arguments["axis"]
    for step in reversed(way):
        before = web.shape(next(ref for ref in step.refs() if not web.still(ref)))
        if step.target == "permute":
            axis = step.arguments["axes"].index(axis)
        elif step.target == "reshape":
            axis = len(step.shape) - 2 if axis and axis == len(before) - 2 else 0
        elif len(step.shape) != len(before):
            axis = 0
    return axis
