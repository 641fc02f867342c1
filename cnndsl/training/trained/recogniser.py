"""A trained network with its classes: what `evaluate` and `predict` ask."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cnndsl.arrays.inputs import read_image
from cnndsl.arrays.weights import checked, read_weights
from cnndsl.ir.graph import Graph
from cnndsl.training.check import check_classifier, check_fits
from cnndsl.training.data.collection import Fit
from cnndsl.training.data.find import find_data
from cnndsl.training.run import Run

if TYPE_CHECKING:
    import numpy as np

    Arrays = dict[str, np.ndarray]

BATCH = 64


@dataclass(frozen=True)
class Evaluation:
    """How well a network recognises examples it has not learnt from. `confusion` counts them: rows are the true classes,
    columns the predicted ones."""

    accuracy: float
    loss: float
    count: int
    confusion: np.ndarray
    classes: tuple[str, ...]

    def json(self) -> dict[str, Any]:
        return {"schema": 1, "accuracy": self.accuracy, "loss": self.loss, "count": self.count}

    def mistakes(self, most: int = 5) -> list[str]:
        """The confusions that are most frequent, for people."""
        import numpy as np

        wrong = self.confusion - np.diag(np.diag(self.confusion))
        indices = np.argsort(-wrong, axis=None, kind="stable")[:most]
        cells = [(int(index) // len(wrong), int(index) % len(wrong)) for index in indices]
        return [
            f"{self.classes[row]} recognised as {self.classes[column]}: {wrong[row, column]} of {self.confusion[row].sum()}"
            for row, column in cells
            if wrong[row, column]
        ]


@dataclass(frozen=True)
class Recogniser:
    """`weights` are the network's, by state-dict key; `classes` the names of its classes, "" for a class without a name."""

    graph: Graph
    weights: Arrays
    classes: tuple[str, ...]
    fit: Fit = "centre"
    normalize: str = "none"

    @classmethod
    def of_run(cls, run: Run, weights: Path | None = None) -> Recogniser:
        """The recogniser of a run, by default with its best weights. Raises `CnnError`."""
        arrays = run.weights() if weights is None else checked(run.graph, read_weights(weights), weights.name)
        return cls(run.graph, arrays, run.classes, run.about.fit, run.options.normalize)

    @classmethod
    def of_graph(cls, graph: Graph, arrays: Arrays, origin: str, normalize: str = "none") -> Recogniser:
        """The recogniser that a network with weights from `origin` is. Raises `CnnError` (those of `weights.checked`, not-a-classifier)."""
        count = check_classifier(graph)
        return cls(graph, checked(graph, arrays, origin), ("",) * count, normalize=normalize)

    def evaluate(self, data: str, held_out: tuple[float, int] | None = None) -> Evaluation:
        """Compares what the network says of examples with their labels. Raises `CnnError`.

        With `held_out`, a share and a seed, the examples are those that training with these would hold out. Else they are the
        part of `data` that the data itself holds out, or all examples where it holds out none.
        """
        import numpy as np
        import torch
        from torch.nn import functional
        from torchmetrics.classification import MulticlassConfusionMatrix

        collection = find_data(data)
        check_fits(self.graph, collection)
        examples = collection.read(self.graph.inputs[0].type.shape)
        if held_out is not None:
            indices = collection.parts(*held_out)[1]
        else:
            indices = np.arange(len(collection.labels)) if collection.held_out is None else collection.held_out
        labels = collection.labels[indices]
        matrix = MulticlassConfusionMatrix(len(self.classes))
        losses = 0.0
        for start, scores in self._scores(examples, indices):
            truth = torch.from_numpy(labels[start : start + len(scores)])
            losses += float(functional.cross_entropy(scores.double(), truth, reduction="sum"))
            matrix.update(scores, truth)
        counts = matrix.compute().numpy()
        return Evaluation(
            float(np.trace(counts)) / len(labels), losses / len(labels), len(labels), counts, collection.classes
        )

    def predict(self, images: Sequence[Path]) -> np.ndarray:
        """The share of each class for pictures from files: N×classes, each row sums to 1. Raises `CnnError`."""
        import numpy as np
        import torch

        pictures = np.stack([self.picture(path) for path in images])
        parts = [scores for _, scores in self._scores(pictures, np.arange(len(pictures)))]
        shares: np.ndarray = torch.cat(parts).double().softmax(1).numpy()
        return shares

    def picture(self, path: Path) -> np.ndarray:
        """A picture at the network's size, from 0 to 1. Raises `CnnError`."""
        return read_image(path, self.graph.inputs[0].type.shape, fit=self.fit)

    def prepared(self, path: Path) -> Arrays:
        """What the network is fed for a picture, by the input's name and with the batch axis. Raises `CnnError`."""
        import torch

        from cnndsl.training.data.preparation import Preparation

        picture = torch.from_numpy(self.picture(path))[None]
        return {self.graph.inputs[0].name: Preparation(self.normalize).normalized(picture).numpy()}

    def _scores(self, examples: np.ndarray, indices: np.ndarray) -> Iterator[tuple[int, Any]]:
        """Scores of the examples with these indices, batch by batch, on the CPU; before each the place where it begins."""
        import numpy as np
        import torch

        from cnndsl.training.train import quiet

        with quiet():
            from cnndsl.training.data.batches import Examples
            from cnndsl.training.data.preparation import Preparation
            from cnndsl.training.loop.learner import Learner
            from cnndsl.training.options import Options

            chosen = Examples(examples, np.zeros(len(examples), np.int64), indices)
            learner = Learner(self.graph, Options(), Preparation(self.normalize), (chosen, chosen))
        learner.network.load_state_dict({key: torch.tensor(array) for key, array in self.weights.items()})
        device = "cuda" if torch.cuda.is_available() else "cpu"
        learner.to(device).eval()
        with torch.inference_mode():
            for start in range(0, len(indices), BATCH):
                stored, _ = chosen.__getitems__(range(start, min(start + BATCH, len(indices))))
                yield start, learner.scores(stored.to(device)).cpu()
