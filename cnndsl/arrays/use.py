"""How a trained network is used: plain data that goes from a table or a run into packages, and to whoever asks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from cnndsl.arrays.inputs import IMAGENET_MEAN, IMAGENET_STD
from cnndsl.diagnostics.errors import fault
from cnndsl.ir.graph import Graph


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")


class Pictures(_Strict):
    """How the network's authors feed it a photograph; `arrays/pictures.py` does it."""

    fit: Literal["centre", "whole", "letterbox", "as it is"] = "centre"
    resize: int | None = None
    """The shorter side before the centre is cut out, for the size that `crop` says."""
    crop: int | None = None
    interpolation: Literal["bilinear", "bicubic"] = "bilinear"
    order: Literal["RGB", "BGR"] = "RGB"
    scale: float = 1.0
    """What full brightness is before `mean` and `std`: 1 or 255."""
    mean: list[float] = []
    std: list[float] = []
    pad: list[float] = []
    """Colour around a picture that is letterboxed, from 0 to 1."""
    mosaic: bool = False
    """Whether only the samples of a Bayer mosaic (green red / blue green) are kept, as a sensor gives them."""
    corner: bool = False
    """Whether a letterboxed picture lies in the upper left corner, and not in the middle."""


class Answer(_Strict):
    """What the outputs of a network mean; `arrays/answers.py` says so, kind by kind."""

    kind: Literal["classes", "tags", "boxes", "regions", "picture", "numbers"]
    classes: list[str] = []
    output: str = ""
    """The output that is meant, where there are several."""
    decode: Literal["", "yolo", "retinanet", "ssd", "fcos"] = ""
    maps: dict[str, list[list[float]]] = {}
    scores: str = ""
    offsets: str = ""
    central: str = ""
    strides: list[int] = []
    sizes: list[int] = []
    ratios: list[float] = []
    scales: list[float] = []
    aspects: list[list[float]] = []
    spread: bool = False
    candidates: int = 1000
    threshold: float = 0.3
    overlap: float = 0.45
    most: int = 100
    scale: float = 1.0
    order: Literal["RGB", "BGR"] = "RGB"


def plain(model: Pictures | Answer) -> dict[str, Any]:
    """As plain data, without what is as it usually is."""
    return model.model_dump(exclude_defaults=True)


@dataclass(frozen=True)
class Use:
    """`reading` says how a picture becomes an input (see `arrays/pictures.py`), `answer` what outputs mean (`answers.py`)."""

    reading: Mapping[str, Any] = field(default_factory=dict)
    answer: Mapping[str, Any] = field(default_factory=dict)

    @property
    def classes(self) -> tuple[str, ...]:
        """Names of the classes; nothing where nobody said them."""
        return tuple(self.answer.get("classes", ()))

    def says(self, outputs: Mapping[str, Any], size: tuple[int, int], frame: Any = None) -> dict[str, Any]:
        """What `answers.answer` says of the outputs of one example. Raises `CnnError` (wrong-input) where they are not
        those of the network that the answer was written for."""
        from cnndsl.arrays.answers import answer

        try:
            return answer(self.answer, outputs, size, frame)
        except ValueError as error:
            raise fault(
                "wrong-input", str(error), help="run the network at the size that its weights are for"
            ) from None


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
