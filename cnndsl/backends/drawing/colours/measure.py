"""What a heat map colours boxes by: a number for each box, and its place on the scale."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import log
from typing import Literal, get_args

from cnndsl.analyses.cost import cost
from cnndsl.analyses.params import params
from cnndsl.analyses.receptive_field import receptive_fields
from cnndsl.backends.drawing.colours.heat import STEPS
from cnndsl.backends.drawing.diagram.caption import count
from cnndsl.backends.drawing.diagram.diagram import Box, Diagram, Folded
from cnndsl.ir.graph import Graph, Node
from cnndsl.ir.written import in_bytes

Measure = Literal["rf", "params", "macs", "memory"]
MEASURES: tuple[Measure, ...] = get_args(Measure)

TITLES: dict[Measure, str] = {
    "rf": "receptive field, pixels",
    "params": "parameters",
    "macs": "multiply-adds",
    "memory": "bytes of outputs, batch 1",
}

SPAN = 100
"""How many times the least of a logarithmic scale the most is, at most."""


class Heat:
    """The heat map of one picture.

    The number of a box is that of one of its rounds, the largest where rounds differ. The number of a closed block is the total
    of its layers. The receptive field is that of the box's last output, along its longest side. The scale of receptive fields
    is linear; the other scales are logarithmic, since layers differ by orders of magnitude. They begin at a hundredth of the most:
    over a wider scale one tiny layer would make all large ones look alike.
    """

    def __init__(self, picture: Diagram, measure: Measure) -> None:
        self.measure = measure
        value = _fields(picture.graph) if measure == "rf" else _totals(picture.graph, measure)
        boxes = list(picture.boxes())
        self._values = {box.key: value(box) for box in boxes}
        self._present = sorted(number for number in self._values.values() if number)

    def step(self, key: str) -> int | None:
        """The shade of a box, from 0 to `STEPS` - 1; None where it has nothing of what is measured."""
        number = self._values.get(key, 0)
        return round(self._place(number) * (STEPS - 1)) if number else None

    def note(self, key: str) -> str:
        """The number as text for the box, where the box does not have it anyway."""
        number = self._values.get(key, 0)
        if not number or self.measure in ("params", "macs"):
            return ""
        return f"sees {number} px" if self.measure == "rf" else written(number, self.measure)

    @property
    def ends(self) -> tuple[int, int] | None:
        """The least and the most on the scale; None where no box has any."""
        if not self._present:
            return None
        low, high = self._present[0], self._present[-1]
        return (low if self.measure == "rf" else max(low, -(-high // SPAN))), high

    @property
    def below(self) -> bool:
        """Whether boxes have less than the scale begins with: they share its palest shade."""
        return self.ends is not None and self._present[0] < self.ends[0]

    def _place(self, number: int) -> float:
        assert self.ends is not None
        low, high = self.ends
        if low == high:
            return 1.0
        if self.measure == "rf":
            return (number - low) / (high - low)
        return log(max(number, low) / low) / log(high / low)


def written(number: int, measure: Measure) -> str:
    """A number of the legend: `483`, `25.6M`, `3.21 MiB`."""
    if measure == "memory":
        return in_bytes(number)
    return str(number) if measure == "rf" else count(number)


def _totals(graph: Graph, measure: Measure) -> Callable[[Box | Folded], int]:
    each: dict[str, int]
    if measure == "params":
        each = {name: state.trained for name, state in params(graph).items()}
    elif measure == "macs":
        each = {name: work.macs for name, work in cost(graph).items()}
    else:
        each = {node.name: node.type.bytes for node in graph.nodes if not node.op.view}

    def total(nodes: Sequence[Node]) -> int:
        return sum(each.get(node.name, 0) for node in nodes)

    def value(box: Box | Folded) -> int:
        if isinstance(box, Folded):
            return total(box.nodes)
        return max(total(nodes) for nodes in zip(*(cell.nodes for cell in box.cells), strict=True))

    return value


def _fields(graph: Graph) -> Callable[[Box | Folded], int]:
    fields = receptive_fields(graph)

    def value(box: Box | Folded) -> int:
        last = (box.leaving or box.nodes)[-1] if isinstance(box, Folded) else box.cells[-1].nodes[-1]
        field = fields[last.name]
        return max(field.size) if field else 0

    return value
