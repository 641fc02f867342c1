"""How a trained network is used: plain data that goes from a table or a run into packages, and to whoever asks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from cnndsl.arrays.inputs import IMAGENET_MEAN, IMAGENET_STD
from cnndsl.ir.graph import Graph


@dataclass(frozen=True)
class Use:
    """`reading` says how a picture becomes an input (see `arrays/pictures.py`), `answer` what outputs mean (`answers.py`)."""

    reading: Mapping[str, Any] = field(default_factory=dict)
    answer: Mapping[str, Any] = field(default_factory=dict)

    @property
    def classes(self) -> tuple[str, ...]:
        """Names of the classes; nothing where nobody said them."""
        return tuple(self.answer.get("classes", ()))


def normalized(reading: Mapping[str, Any], normalize: str, channels: int) -> dict[str, Any]:
    """The reading with ImageNet's mean and deviation where that is asked for; one channel gets the mean of the three."""
    if normalize != "imagenet":
        return dict(reading)
    mean, std = list(IMAGENET_MEAN), list(IMAGENET_STD)
    if channels == 1:
        mean, std = [sum(mean) / 3], [sum(std) / 3]
    return {**reading, "mean": mean, "std": std}


def plain_use(graph: Graph, classes: Sequence[str] = (), reading: Mapping[str, Any] | None = None) -> Use:
    """That of a network of which nothing more is known: one vector is taken for classes, all else for numbers."""
    outputs = [graph.types[output.node].shape for output in graph.outputs if not output.training]
    if len(outputs) == 1 and len(outputs[0]) == 1:
        return Use(reading or {}, {"kind": "classes", "classes": list(classes)})
    return Use(reading or {}, {"kind": "numbers"})
