"""Whether two graphs are one network: walked from their outputs, layer by layer, as PyTorch is told to compute them."""

from __future__ import annotations

from cnndsl.backends.pytorch.expression import recorded
from cnndsl.backends.pytorch.writing.layout import text
from cnndsl.backends.pytorch.writing.makers import NN, formula
from cnndsl.ir.graph import Graph, Node
from cnndsl.ops.avg_pool import AvgPool
from cnndsl.ops.upsample import Upsample

IDLE = {"Identity", "Flatten"}
"""What may stand on one side alone: it gives what it takes, or `FC` does it by itself."""


def difference(ours: Graph, theirs: Graph) -> str:
    """The first difference in words; "" where there is none."""
    if [(i.type.shape, i.type.dtype) for i in ours.inputs] != [(i.type.shape, i.type.dtype) for i in theirs.inputs]:
        return "inputs"
    if [o.training for o in ours.outputs] != [o.training for o in theirs.outputs]:
        return f"{len(ours.outputs)} outputs and {len(theirs.outputs)}"
    here, there = ({e.key: e.weight.shape for e in graph.weights} for graph in (ours, theirs))
    if here != there:
        return f"weights: {sorted(here.keys() ^ there.keys())[:3]}"
    pairs: dict[str, str] = {i.name: j.name for i, j in zip(ours.inputs, theirs.inputs, strict=True)}
    entering = set(pairs.values())
    pending = [(a.node, b.node) for a, b in zip(ours.outputs, theirs.outputs, strict=True)]
    while pending:
        a, b = (_working(graph, name) for graph, name in zip((ours, theirs), pending.pop(), strict=True))
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
        pending += zip(one.inputs, other.inputs, strict=True)
    return ""


def _working(graph: Graph, name: str) -> str:
    """The tensor behind layers that do nothing."""
    inputs = {entry.name for entry in graph.inputs}
    while name in graph.types and name not in inputs and (graph[name].op.word in IDLE or _silent(graph[name])):
        (name,) = graph[name].inputs
    return name


def _silent(node: Node) -> bool:
    return node.op.word in ("Dropout", "DropPath") and not getattr(node.op, "p", 0)


def _said(graph: Graph, node: Node) -> tuple[str, str]:
    """What PyTorch is told to make and to compute for a layer, and the size of what comes of it."""
    xs = graph.input_types(node)
    if isinstance(node.op, Upsample):
        # By a factor and to a size is the same where the positions are.
        return f"Upsample {node.op.mode} {node.op.align} {node.op.taps(xs[0])}", str(node.type.shape)
    made = node.op.to_torch(NN, xs)
    module = "" if made is None else text(recorded(made))
    if isinstance(node.op, AvgPool) and "padding=" not in module:
        # Without padding nothing is there to be counted.
        module = module.replace(", count_include_pad=False", "")
    if not node.op.begins and made is None:
        module = repr(formula(graph, node))
    # On a vector, a fully connected layer and a linear one are the same.
    word = "Linear" if node.op.word == "FC" and xs[0].rank == 0 else node.op.word
    return f"{word} {module}", "×".join(map(str, node.type.shape))
