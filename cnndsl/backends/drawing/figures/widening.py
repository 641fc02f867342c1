"""How the receptive field of a map's centre grows from layer to layer."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from cnndsl.analyses.needed import needed
from cnndsl.analyses.receptive_field import Field, State, last_map, receptive_fields
from cnndsl.diagnostics.errors import fault
from cnndsl.ir.graph import Graph, Node
from cnndsl.ir.written import sizes

ROWS = 14
"""Boxes that can be told apart in one picture."""


@dataclass(frozen=True)
class Seen:
    """What the centre position of a layer's map sees of a picture: from `top`, `left` to `bottom`, `right`, in pixels, ends
    excluded; it may lie in the padding."""

    node: Node
    state: State
    top: float
    left: float
    bottom: float
    right: float
    stride: str

    @property
    def size(self) -> tuple[int, int]:
        """Height and width in pixels."""
        return int(self.bottom - self.top), int(self.right - self.left)


@dataclass(frozen=True)
class Widening:
    """The layers at which the receptive field gets larger, smallest first.

    There are `layers` of them; `rows` are all, or `ROWS` spread evenly among them. `whole` is the first layer that sees
    everything. `last` is the layer whose field the summary calls the network's receptive field.
    """

    input: str
    size: tuple[int, int]
    rows: tuple[Seen, ...]
    layers: int
    whole: Node | None
    last: Seen


def widening(graph: Graph) -> Widening:
    """The layers of inference whose centre sees more than any before. Raises CnnError (`wrong-rank`) for a network whose
    field lies in no picture."""
    fields = receptive_fields(graph)
    network = last_map(graph, fields)
    if network is None or len(network[1].views) != 2 or network[0] not in {node.name for node in graph.nodes}:
        raise fault(
            "wrong-rank",
            f"no map of {graph.name} sees a window of a picture",
            notes=("expected an input with height and width, and a layer that slides over it",),
            help="draw it as a diagram, without `--style rf`",
        )
    name, whole = network[1].input, None
    wider: list[Seen] = []
    for node in needed(graph):
        field = fields[node.name]
        if field is None or field.input != name or len(field.views) != 2:
            continue
        if field.state == "global":
            whole = whole or node
            continue
        seen = _seen(node, field)
        if not wider or (seen.size > wider[-1].size and min(map(int.__sub__, seen.size, wider[-1].size)) >= 0):
            wider.append(seen)
    picked = sorted({round(n * (len(wider) - 1) / (ROWS - 1)) for n in range(ROWS)}) if len(wider) > ROWS else None
    rows = [wider[index] for index in picked] if picked else wider
    height, width = graph.types[name].size
    last = _seen(graph[network[0]], network[1])
    return Widening(name, (height, width), tuple(rows), len(wider), whole, last)


def _seen(node: Node, field: Field) -> Seen:
    sides = []
    for view, positions in zip(field.views, node.type.size, strict=True):
        shift = Fraction(view.stride) * ((positions - 1) // 2)
        sides.append((float(view.first + shift), float(view.last + shift) + 1))
    (top, bottom), (left, right) = sides
    stride = sizes(dict.fromkeys(field.stride))
    return Seen(node, field.state, top, left, bottom, right, stride)
