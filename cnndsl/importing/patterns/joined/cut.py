"""A transposed convolution whose edges are cut off behind it: its own `pad`."""

from __future__ import annotations

from dataclasses import replace

from cnndsl.importing.trace import Node
from cnndsl.importing.web import Web, common

TARGETS = ("slice",)
_TRANSPOSED = ("conv_transpose1d", "conv_transpose2d", "conv_transpose3d")


def rewrite(web: Web, node: Node) -> Node | None:
    """The convolution that leaves these rows out, where a cut takes an edge of its map."""
    made = web.alone(node.arguments["self"], *_TRANSPOSED)
    axis = node.arguments["axis"] - 1
    if made is None or axis < 0 or node.arguments["step"] != 1:
        return None
    rank = len(made.shape) - 2
    given = made.arguments.get("padding", 0)
    even = [given] * rank if isinstance(given, int) else list(given) * (rank if len(given) == 1 else 1)
    pads = list(made.arguments.get("pads") or [(n, n) for n in even])
    before, after = pads[axis]
    length = made.shape[axis + 2]
    pads[axis] = (before + node.arguments["start"], after + length - min(node.arguments["stop"], length))
    arguments = {key: value for key, value in made.arguments.items() if key != "pads"}
    if all(b == a for b, a in pads):
        arguments["padding"] = [b for b, _ in pads]
    else:
        arguments |= {"padding": [0] * rank, "pads": tuple(pads)}
    return replace(made, name=node.name, shape=node.shape, arguments=arguments, scope=common(made, node))
