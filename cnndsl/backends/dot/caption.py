"""The words on a box: what a layer is, what it costs, and all that is known of it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from cnndsl.ir.arguments import show
from cnndsl.ir.graph import Graph, Node
from cnndsl.ir.tensor import TensorType

UNSAID = frozenset(
    {"bias", "pad", "eps", "momentum", "affine", "ceil", "count_pad", "p", "channel", "align", "dropout"}
)
"""Arguments that no figure shows: the shapes tell them, or they matter only in training. Tooltips have them."""

PLAIN = frozenset({"channels", "units", "size"})
"""Arguments that need no name: `Conv3x3 64`."""


def word(node: Node) -> str:
    """The layer's word with its window, as in the language: `Conv3x3`."""
    window = getattr(node.op, "window", None)
    if window is None:
        return node.op.word
    # The language writes one number for all axes; on a map the window then has as many sides as the map.
    sides = window if isinstance(window, tuple) else (window,) * max(node.type.rank, 1)
    return node.op.word + "x".join(map(str, sides))


def essentials(node: Node) -> str:
    """The arguments a paper's figure would show: `64, /2`."""
    said = []
    for name, value in node.op.written().items():
        if name in UNSAID or name == "window":
            continue
        if name in PLAIN:
            said.append(str(value) if not isinstance(value, tuple) else "×".join(map(str, value)))
        elif name == "stride":
            said.append(f"/{_times(value)}")
        else:
            said.append(f"{name}={show(value) if not isinstance(value, str) else value}")
    return ", ".join(said)


def _times(value: Any) -> str:
    return (
        "×".join(map(str, value))
        if isinstance(value, tuple) and len(set(value)) > 1
        else str(value[0] if isinstance(value, tuple) else value)
    )


def written(node: Node) -> str:
    """The layer with every argument that is not its default: `Conv3x3(channels=64, stride=2)`."""
    arguments = ", ".join(
        f"{name}={value if isinstance(value, str) else show(value)}"
        for name, value in node.op.written().items()
        if name != "window"
    )
    return word(node) + (f"({arguments})" if arguments else "")


def count(number: int) -> str:
    """A number to three figures: `64`, `9.41K`, `25.6M`."""
    value = float(number)
    for suffix in ("", "K", "M", "G", "T"):
        if value < 999.5 or suffix == "T":
            digits = 0 if not suffix or value >= 99.95 else 1 if value >= 9.995 else 2
            text = f"{value:.{digits}f}"
            return (text.rstrip("0").rstrip(".") if "." in text else text) + suffix
        value /= 1000
    raise AssertionError("unreachable")


def params(graph: Graph, node: Node) -> int:
    """Trained numbers that the node owns."""
    if not node.owns_weights:
        return 0
    return sum(weight.elements for weight in graph.node_weights(node).values() if weight.trained)


def borrows(graph: Graph, node: Node) -> bool:
    """Whether the node has weights and another node owns them."""
    return not node.owns_weights and bool(graph.node_weights(node))


def macs(graph: Graph, node: Node) -> int:
    """Multiply-adds of the node, batch 1."""
    return node.op.macs(graph.input_types(node), node.type)


def span(numbers: Iterable[int]) -> str:
    """One number, or the range of several."""
    values = list(numbers)
    low, high = count(min(values)), count(max(values))
    return low if low == high else f"{low}–{high}"


def cost(graph: Graph, nodes: tuple[Node, ...], *, total: bool = False) -> str:
    """`9.41K params · 118M MACs` of one node (a range where rounds differ), or the total; empty where there is neither."""
    said = []
    for unit, numbers in (("params", [params(graph, n) for n in nodes]), ("MACs", [macs(graph, n) for n in nodes])):
        if any(numbers):
            said.append(f"{count(sum(numbers)) if total else span(numbers)} {unit}")
    return " · ".join(said)


def shape(types: Iterable[TensorType]) -> str:
    """`64×56×56`; channels as a range where they grow from round to round: `64–224×56×56`."""
    every = list(types)
    first = every[0]
    channels = [t.channels for t in every]
    if min(channels) == max(channels):
        return str(first)
    sides = list(map(str, first.shape))
    sides[first.channel_axis] = f"{min(channels)}–{max(channels)}"
    return "×".join(sides)


def facts(graph: Graph, nodes: tuple[Node, ...]) -> str:
    """Everything about a node, a line each; for one that stands for several, their names and ranges."""
    node = nodes[0]
    names = [n.name for n in nodes]
    lines = [
        ", ".join(names) if len(names) < 5 else f"{names[0]}, {names[1]} … {names[-1]} ({len(names)} times)",
        written(node),
    ]
    into = " , ".join(shape(types) for types in zip(*(graph.input_types(n) for n in nodes), strict=True))
    lines.append(
        f"{into} → {shape(n.type for n in nodes)}" + ("" if node.type.dtype == "float32" else f" {node.type.dtype}")
    )
    trained = [params(graph, n) for n in nodes]
    if any(trained):
        each = " each" if len(nodes) > 1 else ""
        lines.append(
            f"{min(trained):,} params{each}"
            if min(trained) == max(trained)
            else f"{min(trained):,}–{max(trained):,} params{each}"
        )
    products = [macs(graph, n) for n in nodes]
    if any(products):
        lines.append(
            f"{min(products):,} MACs" if min(products) == max(products) else f"{min(products):,}–{max(products):,} MACs"
        )
    if borrows(graph, node):
        lines.append(f"weights of {node.weights_of}")
    if node.place is not None:
        lines.append(f"{node.place.file}:{node.place.line}:{node.place.column}")
    return "\n".join(lines)


def called(nodes: tuple[Node, ...]) -> str:
    """The label that the source gives a layer, the same in every round; empty where a position or the word names it."""
    labels = {node.name.rpartition(".")[2] for node in nodes}
    label, word = labels.pop(), nodes[0].op.word.lower()
    made = label.isdigit() or label.lower() == word or label.lower().startswith(f"{word}_")
    return "" if made or labels or not nodes[0].owns_weights else label
