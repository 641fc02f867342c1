"""Several networks that look closer and closer at the same picture: MTCNN's three, which find faces.

Zhang, Zhang, Li, Qiao: Joint Face Detection and Alignment using Multi-task Cascaded Convolutional Networks, 2016,
arXiv:1604.02878. Which networks they are, and how sure each must be, stands in the table of published weights.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cnndsl.arrays.answers import suppressed
from cnndsl.arrays.inputs import read_picture
from cnndsl.arrays.weights import checked
from cnndsl.pipeline import load
from cnndsl.published.download import Progress
from cnndsl.published.table import Cascade
from cnndsl.published.weights import Say, given_weights

if TYPE_CHECKING:
    import numpy as np

    Arrays = dict[str, np.ndarray]

CELL, STRIDE = 12, 2
"""Pixels that the first network sees at each position, and between positions."""
MOST = 2000
"""Candidates that go on to the next network."""


@dataclass(frozen=True)
class CascadeAnswering:
    """`weights` of the three networks, in their order."""

    cascade: Cascade
    weights: tuple[Arrays, ...]

    @classmethod
    def published(cls, cascade: Cascade, say: Say | None = None, tell: Progress | None = None) -> CascadeAnswering:
        """That with published weights, fetched where they are not here. Raises `CnnError` and `MissingPart`."""
        found = []
        for name in cascade.networks:
            graph = load(name).graph
            given = given_weights(graph, "published", say, tell)
            found.append(checked(graph, given.arrays, given.origin))
        return cls(cascade, tuple(found))

    def answers(self, images: Sequence[Path]) -> Iterator[tuple[Any, dict[str, Any]]]:
        """Each picture, and boxes with five points: the eyes, the nose, the corners of the mouth. Raises `CnnError`."""
        for path in images:
            picture = read_picture(path)
            yield picture, {"kind": "boxes", "boxes": self.faces(picture)}

    def faces(self, picture: Any) -> list[dict[str, Any]]:
        """The faces of a picture, the surest first."""
        import numpy as np

        boxes = self._everywhere(picture)
        boxes, found, _ = self._closer(picture, boxes, 1)
        keep = suppressed(boxes, found, np.zeros(len(found), np.int64), 0.7)
        boxes, found, points = self._closer(picture, _squared(boxes[keep]), 2)
        keep = suppressed(boxes, found, np.zeros(len(found), np.int64), 0.7, smaller=True)
        limits = np.array([picture.width, picture.height, picture.width, picture.height])
        return [
            {
                "class": 0,
                "label": self.cascade.label,
                "share": float(found[i]),
                "box": [round(float(edge), 1) for edge in np.clip(boxes[i], 0, limits)],
                "points": [[round(float(x), 1), round(float(y), 1)] for x, y in points[i]],
            }
            for i in keep
        ]

    def _everywhere(self, picture: Any) -> np.ndarray:
        """The first network over the picture at several sizes, from that at which the smallest face fills a cell."""
        import numpy as np

        scale, boxes, found = CELL / self.cascade.smallest, [np.empty((0, 4))], [np.empty(0)]
        while min(picture.size) * scale >= CELL:
            size = (int(picture.width * scale + 1), int(picture.height * scale + 1))
            given = self._read(picture.resize(size, _area()))
            outputs = self._run(0, f"3x{size[1]}x{size[0]}", given[None])
            shares, offsets = outputs["face"][0, 1], outputs["box"][0]
            rows, columns = np.nonzero(shares >= self.cascade.thresholds[0])
            corners = np.stack([columns, rows], 1) * STRIDE
            cells = np.concatenate([corners, corners + CELL], 1) / scale
            sure = shares[rows, columns]
            keep = suppressed(cells, sure, np.zeros(len(sure), np.int64), 0.5)
            moved = _moved(cells[keep], offsets[:, rows[keep], columns[keep]].T)
            boxes.append(moved)
            found.append(sure[keep])
            scale *= self.cascade.factor
        every, sure = np.concatenate(boxes), np.concatenate(found)
        keep = suppressed(every, sure, np.zeros(len(sure), np.int64), 0.7)[:MOST]
        return _squared(every[keep])

    def _closer(self, picture: Any, boxes: np.ndarray, stage: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """What a later network lets through of the boxes: better ones, how sure it is, and points where it gives some."""
        import numpy as np

        if not len(boxes):
            return boxes, np.empty(0), np.empty((0, 5, 2))
        side = (24, 48)[stage - 1]
        parts = [picture.crop(tuple(box)).resize((side, side), _area()) for box in boxes.round().astype(int).tolist()]
        outputs = self._run(stage, f"3x{side}x{side}", np.stack([self._read(part) for part in parts]))
        shares = outputs["face"][:, 1]
        sure = shares >= self.cascade.thresholds[stage]
        whole, found = boxes[sure], shares[sure]
        points = np.empty((len(whole), 5, 2))
        if "points" in outputs:
            sizes = whole[:, 2:] - whole[:, :2]
            points = whole[:, None, :2] + outputs["points"][sure].reshape(-1, 2, 5).transpose(0, 2, 1) * sizes[:, None]
        return _moved(whole, outputs["box"][sure]), found, points

    @staticmethod
    def _read(picture: Any) -> np.ndarray:
        import numpy as np

        x: np.ndarray = ((np.asarray(picture, np.float32) - 127.5) / 128).transpose(2, 0, 1)
        return x

    def _run(self, stage: int, size: str, x: np.ndarray) -> Arrays:
        import numpy as np

        from cnndsl.backends.pytorch.live.inference import outputs

        graph = load(self.cascade.networks[stage], inputs={"": size}).graph
        return outputs(graph, self.weights[stage], {graph.inputs[0].name: np.ascontiguousarray(x)}, "float32")


def _area() -> Any:
    from PIL import Image

    return Image.Resampling.BOX


def _moved(boxes: np.ndarray, offsets: np.ndarray) -> np.ndarray:
    """Each edge by its share of the box's size."""
    import numpy as np

    sizes = boxes[:, 2:] - boxes[:, :2]
    moved: np.ndarray = boxes + offsets * np.concatenate([sizes, sizes], 1)
    return moved


def _squared(boxes: np.ndarray) -> np.ndarray:
    """Around the same centre, as long as the longer side."""
    import numpy as np

    sizes = boxes[:, 2:] - boxes[:, :2]
    centres, side = boxes[:, :2] + sizes / 2, sizes.max(1, keepdims=True)
    return np.concatenate([centres - side / 2, centres + side / 2], 1)
