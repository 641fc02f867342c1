"""The words on a box: what a layer is, in as few words as the figure of a paper uses."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from cnndsl.ir.graph import Node
from cnndsl.ir.tensor import MARK, TensorType
from cnndsl.ir.written import brief, sizes

UNSAID = frozenset(
    {"bias", "pad", "eps", "momentum", "affine", "ceil", "count_pad", "p", "channel", "align", "dropout"}
)
"""Arguments that no figure shows: they can be seen from the shapes, or matter only in training. Tooltips have them."""

PLAIN = frozenset({"channels", "units", "size"})
"""Arguments that need no name: `Conv3x3 64`."""

SPELT = {"‖": "concatenate", "+": "add", "−": "subtract", "×": "multiply", "÷": "divide", "@": "matrix product"}
"""What the signs of the ops that join branches are called."""

KNOWN = frozenset("+−×÷")
"""Signs that a reader knows from school: they stand alone in a circle. Of the others a box has the name."""


def sign(node: Node) -> str:
    """What a box calls its layer: a sign that everybody knows, the name of what another sign stands for, or the word."""
    symbol = node.op.symbol
    return symbol if symbol and symbol in KNOWN else SPELT.get(symbol) or word(node)


def word(node: Node) -> str:
    """The layer's word with its window, as in the language: `Conv3x3`."""
    window = getattr(node.op, "window", None)
    if window is None:
        return node.op.word
    # The language may write one number for all axes. On the box the window has as many sides as the map has axes.
    sides = window if isinstance(window, tuple) else (window,) * max(node.type.rank, 1)
    return node.op.word + "x".join(map(str, sides))


def essentials(node: Node) -> str:
    """The arguments a paper's figure would show: `64, /2`."""
    said = []
    for name, value in node.op.written().items():
        if name in UNSAID or name == "window":
            continue
        if name == "numbers":
            written = ["…" if number is None else f"{number:.6g}" for number in value]
            said.append(written[1] if len(written) == 2 and written[0] == "…" else " | ".join(written))
        elif node.op.begins and name in ("shape", "values"):
            said.append(sizes(value) if name == "shape" else brief(value))
        elif name in PLAIN:
            said.append(str(value) if not isinstance(value, tuple) else sizes(value))
        elif name == "stride":
            said.append(f"/{_times(value)}")
        else:
            said.append(f"{name}={brief(value) if not isinstance(value, str) else value}")
    return ", ".join(said)


def _times(value: Any) -> str:
    return (
        sizes(value)
        if isinstance(value, tuple) and len(set(value)) > 1
        else str(value[0] if isinstance(value, tuple) else value)
    )


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


def span(numbers: Sequence[int], write: Callable[[int], str] = count) -> str:
    """One number, or the range of several."""
    low, high = write(min(numbers)), write(max(numbers))
    return low if low == high else f"{low}–{high}"


def shape(types: Iterable[TensorType]) -> str:
    """`64×56×56`; channels as a range where they grow from round to round: `64–224×56×56`."""
    every = list(types)
    first = every[0]
    channels = [t.channels for t in every]
    if min(channels) == max(channels):
        return str(first)
    sides = list(map(str, first.shape))
    sides[first.channel_axis] = f"{min(channels)}–{max(channels)}{MARK if first.channel_axis else ''}"
    return "×".join(sides)


def called(nodes: tuple[Node, ...]) -> str:
    """The label that the program gives a layer, if it is the same in every round. Empty where the layer was named after its
    position or its word."""
    labels = {node.name.rpartition(".")[2] for node in nodes}
    label, word = labels.pop(), nodes[0].op.word.lower()
    made = label.isdigit() or label.lower() == word or label.lower().startswith(f"{word}_")
    return "" if made or labels or not nodes[0].owns_weights else label
