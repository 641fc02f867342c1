"""Padding before a layer that pads as well: what the layers of PyTorch cannot say, in one layer."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from cnndsl.importing.trace import Node
from cnndsl.importing.web import Web, common

TARGETS = ("pad", "conv1d", "conv2d", "conv3d", "max_pool1d", "max_pool2d", "max_pool3d",
           "avg_pool1d", "avg_pool2d", "avg_pool3d", "reflection_pad1d", "reflection_pad2d", "reflection_pad3d",
           "replication_pad1d", "replication_pad2d", "replication_pad3d", "constant_pad_nd")  # fmt: skip


def rewrite(web: Web, node: Node) -> Node | None:
    """The pad with its amounts by axis; or the layer behind a pad, which then pads by itself."""
    if (
        "pad" in node.target.split("_")
        or node.target.endswith("_pad_nd")
        or node.target.startswith(("reflection", "replication"))
    ):
        return _with_amounts(web, node)
    first = "self" if "self" in node.arguments else "input"
    pad = web.alone(node.arguments[first], "pad")
    if pad is None or "pads" not in pad.arguments or "pads" in node.arguments:
        return None
    own = node.arguments.get("padding", 0)
    mode, value = pad.arguments["mode"], pad.arguments.get("value") or 0.0
    if any(own if isinstance(own, list) else [own]):
        return None
    pooled = node.target.startswith("max_pool")
    if pooled != (value == float("-inf")) or (value and not pooled):
        return None
    if node.target.startswith("avg_pool") and (mode != "constant" or node.arguments.get("ceil_mode")):
        return None
    pads = pad.arguments["pads"]
    if "pool" in node.target and _unseen(node, pads):
        return None
    arguments = {**node.arguments, first: pad.arguments["self"]}
    if not node.target.startswith("conv"):
        arguments["pads"] = _short(pads)
        if node.target.startswith("avg_pool"):
            # The layer's own padding is none, so that what was added before it counts.
            arguments["count_include_pad"] = True
        return replace(node, arguments=arguments, scope=common(pad, node))
    arguments |= {"padding": [a for a, _ in pads]} if all(a == b for a, b in pads) else {"pads": pads}
    arguments |= {"pad_mode": "zeros" if mode == "constant" else mode}
    return replace(node, arguments=arguments, scope=common(pad, node))


def _unseen(node: Node, pads: tuple[tuple[int, int], ...]) -> bool:
    """Whether a window could lie in what is added alone, which no pool of ours has."""
    given = node.arguments["kernel_size"]
    kernel = [given] * len(pads) if isinstance(given, int) else list(given) * (len(pads) if len(given) == 1 else 1)
    return any(max(pair) >= size for pair, size in zip(pads, kernel, strict=True))


def _with_amounts(web: Web, node: Node) -> Node | None:
    if "pads" in node.arguments or node.arguments.get("pad", node.arguments.get("padding")) is None:
        return None
    x = node.arguments.get("self", node.arguments.get("input"))
    if x is None:
        return None
    given = node.arguments.get("pad", node.arguments.get("padding"))
    rank = len(web.shape(x)) - 2
    pairs = [(given[n], given[n + 1]) for n in range(0, len(given), 2)]
    mode = node.arguments.get("mode", "constant")
    mode = (
        "reflect"
        if node.target.startswith("reflection")
        else "replicate"
        if node.target.startswith("replication")
        else mode
    )
    if any(any(pair) for pair in pairs[rank:]):
        return None
    if any(n < 0 for pair in pairs for n in pair):
        # What is padded by less than nothing is cut off first.
        for back, (before, after) in enumerate(pairs):
            axis, shape = len(web.shape(x)) - 1 - back, web.shape(x)
            if min(before, after) >= 0:
                continue
            start, stop = max(-before, 0), shape[axis] + min(after, 0)
            cut = replace(
                node, name=f"{node.name}.cut{axis}", target="slice", shape=(*shape[:axis], stop - start, *shape[axis + 1 :]),
                arguments={"self": x, "axis": axis - 1, "start": start, "stop": stop, "step": 1},
            )  # fmt: skip
            web.insert(cut, before=node.name)
            x = web.ref(cut)
        pairs = [(max(before, 0), max(after, 0)) for before, after in pairs]
    pads = tuple(reversed([*pairs[:rank], *[(0, 0)] * (rank - len(pairs))]))
    arguments: dict[str, Any] = {"self": x, "pads": pads, "mode": mode, "value": node.arguments.get("value")}
    if not any(any(pair) for pair in pads):
        return replace(node, target="same", arguments={"self": x})
    return replace(node, target="pad", arguments=arguments)


def _short(pads: tuple[tuple[int, int], ...]) -> Any:
    even = all(a == b for a, b in pads)
    return pads[0][0] if even and len(set(pads)) == 1 else tuple(a for a, _ in pads) if even else pads
