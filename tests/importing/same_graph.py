"""Whether two graphs are one network: walked from their outputs, layer by layer, as PyTorch is told to compute them."""

from __future__ import annotations

import re
from math import prod
from typing import Any

import numpy as np
import torch

from cnndsl.backends.pytorch.expression import recorded
from cnndsl.backends.pytorch.writing.layout import text
from cnndsl.backends.pytorch.writing.makers import NN, formula
from cnndsl.ir.graph import Graph, Node
from cnndsl.ir.tensor import TensorType
from cnndsl.ops.avg_pool import AvgPool
from cnndsl.ops.const import Const
from cnndsl.ops.mean import Mean
from cnndsl.ops.upsample import Upsample

IDLE = {"Identity", "Flatten"}
"""What may stand on one side alone: it gives what it takes, or `FC` does it by itself."""
MOVING = {
    "Reshape", "Permute", "ToMap", "ToTokens", "Slice", "Roll", "Crop", "Pad", "PixelShuffle", "PixelUnshuffle", "ChannelShuffle",
    "Reorder",
}  # fmt: skip
"""What only moves numbers: several of these are one movement, however it is written."""


def difference(ours: Graph, theirs: Graph) -> str:
    """The first difference in words; "" where there is none."""
    if [(i.type.shape, i.type.dtype) for i in ours.inputs] != [(i.type.shape, i.type.dtype) for i in theirs.inputs]:
        return "inputs"
    if [o.training for o in ours.outputs] != [o.training for o in theirs.outputs]:
        return f"{len(ours.outputs)} outputs and {len(theirs.outputs)}"
    here, there = ({e.key: e.weight.shape for e in graph.weights} for graph in (ours, theirs))
    if here != there:
        return f"weights: {sorted(here.keys() ^ there.keys())[:3]}"
    if [ours.types[o.node].shape for o in ours.outputs] != [theirs.types[o.node].shape for o in theirs.outputs]:
        return "sizes of outputs"
    pairs: dict[str, str] = {i.name: j.name for i, j in zip(ours.inputs, theirs.inputs, strict=True)}
    entering = set(pairs.values())
    pending = [(a.node, b.node) for a, b in zip(ours.outputs, theirs.outputs, strict=True)]
    while pending:
        (a, placed), (b, laid) = (
            _unmoved(graph, name) for graph, name in zip((ours, theirs), pending.pop(), strict=True)
        )
        if not np.array_equal(placed, laid):
            return f"numbers of `{a}` and `{b}` are read in another order"
        if a in pairs or b in entering:
            if pairs.get(a) != b:
                return f"`{a}` and `{b}` stand in one place"
            continue
        pairs[a] = b
        one, other = ours[a], theirs[b]
        if _said(ours, one) != _said(theirs, other):
            return f"`{_said(ours, one)}` and `{_said(theirs, other)}`"
        if ours.node_weights(one) and one.weights_of != other.weights_of:
            return f"the weights of `{one.weights_of}` and `{other.weights_of}`"
        if one.op.begins:
            # It makes its tensor anew, and takes the length of the batch alone.
            continue
        left, right = _added(ours, one), _added(theirs, other)
        if len(left) != len(right):
            return f"{len(left)} and {len(right)} tensors are added in `{a}` and `{b}`"
        pending += zip(left, right, strict=True)
    return ""


def _added(graph: Graph, node: Node) -> list[str]:
    """What an operation takes; of a sum whose first summand is a sum that nobody else reads, the summands of both, which are
    added in the same order."""
    first, *rest = node.inputs or [""]
    inner = graph[first] if node.op.word == "add" and first in {n.name for n in graph.nodes} else None
    if inner is None or inner.op.word != "add" or len(graph.consumers[first]) != 1:
        return list(node.inputs)
    return [*_added(graph, inner), *rest]


def _working(graph: Graph, name: str) -> str:
    """The tensor behind layers that do nothing."""
    inputs = {entry.name for entry in graph.inputs}
    while (
        name in graph.types
        and name not in inputs
        and (graph[name].op.word in IDLE or _silent(graph, graph[name]) or _flattens(graph[name]))
    ):
        (name,) = graph[name].inputs
    return name


def _unmoved(graph: Graph, name: str) -> tuple[str, Any]:
    """The tensor behind layers that only move numbers, and for each number of the given one its place there, from 1; 0 for what
    was filled in."""
    way: list[Node] = []
    name = _working(graph, name)
    while name not in {entry.name for entry in graph.inputs} and graph[name].op.word in MOVING:
        way.append(graph[name])
        name = _working(graph, graph[name].inputs[0])
    shape = graph.types[name].shape
    places = torch.arange(1, prod(shape) + 1, dtype=torch.float64).reshape(1, *shape)
    for node in reversed(way):
        xs = graph.input_types(node)
        places = node.op.call_torch(torch, node.op.to_torch(torch.nn, xs), xs, places)
    return name, places.flatten().numpy()


def _flattens(node: Node) -> bool:
    """Whether a layer lays all numbers out in a row, as `Flatten` does."""
    return node.op.word == "Reshape" and len(node.type.shape) == 1


def _silent(graph: Graph, node: Node) -> bool:
    if isinstance(node.op, Upsample):
        return not any(node.op.taps(graph.input_types(node)[0]))
    return node.op.word in ("Dropout", "DropPath") and not getattr(node.op, "p", 0)


def _said(graph: Graph, node: Node) -> tuple[str, str]:
    """What PyTorch is told to make and to compute for a layer, and the size of what comes of it."""
    xs = graph.input_types(node)
    if isinstance(node.op, Upsample):
        # By a factor and to a size is the same where the positions are.
        return f"Upsample {node.op.mode} {node.op.align} {node.op.taps(xs[0])}", str(node.type.shape)
    if node.op.word in ("add", "Reshape"):
        # What is added is looked at one by one; numbers are laid out anew in one way.
        return node.op.word, "×".join(map(str, node.type.shape))
    if _averages(node, xs):
        return "the mean of all positions", str(node.type.channels)
    made = node.op.to_torch(NN, xs)
    module = "" if made is None else text(recorded(made))
    if isinstance(node.op, AvgPool) and "padding=" not in module:
        # Without padding nothing is there to be counted.
        module = module.replace(", count_include_pad=False", "")
    if made is not None and "name='pad'" in (call := repr(formula(graph, node))):
        # What a layer fills in before its module runs.
        module += call
    if isinstance(node.op, Const):
        module = repr(np.asarray(node.op.values, np.float32).tolist())
    if not node.op.begins and made is None:
        module = re.sub(r"\d+\.\d+(e-?\d+)?", lambda n: str(np.float32(n[0])), repr(formula(graph, node)))
    # On a vector, a fully connected layer and a linear one are the same.
    word = "Linear" if node.op.word == "FC" and xs[0].rank == 0 else node.op.word
    word = "Conv" if word == "DWConv" else word
    return f"{word} {module}", "×".join(map(str, node.type.shape))


def _averages(node: Node, xs: tuple[TensorType, ...]) -> bool:
    """Whether a layer is the mean of each channel over all positions, whatever it leaves of their axes."""
    if isinstance(node.op, Mean):
        axes = node.op.axis if isinstance(node.op.axis, tuple) else (node.op.axis,)
        return set(axes) == {n for n in range(len(xs[0].shape)) if n != xs[0].channel_axis}
    return node.op.word == "GlobalAvgPool"
