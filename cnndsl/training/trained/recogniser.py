"""A trained network with its classes: what `evaluate` and `predict` ask."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cnndsl.arrays.inputs import prepared_picture, read_picture
from cnndsl.arrays.use import Use
from cnndsl.arrays.weights import checked, read_weights
from cnndsl.diagnostics.errors import fault
from cnndsl.diagnostics.nearest import nearest
from cnndsl.ir.graph import Graph
from cnndsl.published.weights import Given, use_of
from cnndsl.training.check import check_classifier, check_fits
from cnndsl.training.data.collection import Collection
from cnndsl.training.data.find import find_data
from cnndsl.training.run import Run

if TYPE_CHECKING:
    import numpy as np

    from cnndsl.quantization.quantization import Quantization

    Arrays = dict[str, np.ndarray]

BATCH = 64


def plain_name(name: str) -> str:
    """A class's name as folders and lists spell it alike: `sports_car` and `sports car`."""
    return name.strip().replace("_", " ").lower()


@dataclass(frozen=True)
class Evaluation:
    """How well a network recognises examples it has not learnt from. `confusion` counts them: rows are the true classes,
    columns the predicted ones."""

    accuracy: float
    loss: float
    count: int
    confusion: np.ndarray
    classes: tuple[str, ...]
    top5: float = 0.0
    """The share of the examples of which the class is among the five likeliest."""
    quantized: float | None = None
    """The accuracy of the quantised network beside it; None where there is none."""
    agreement: float | None = None
    """The share of the examples of which the quantised network says the same class."""

    def json(self) -> dict[str, Any]:
        found: dict[str, Any] = {
            "schema": 1,
            "accuracy": self.accuracy,
            "loss": self.loss,
            "count": self.count,
            "top5": self.top5,
        }
        if self.quantized is not None:
            found |= {"quantized_accuracy": self.quantized, "agreement": self.agreement}
        return found

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
    use: Use = field(default_factory=Use)

    @classmethod
    def of_run(cls, run: Run, weights: Path | None = None) -> Recogniser:
        """The recogniser of a run, by default with its best weights. Raises `CnnError`."""
        arrays = run.weights() if weights is None else checked(run.graph, read_weights(weights), weights.name)
        return cls(run.graph, arrays, run.classes, run.use)

    @classmethod
    def of_graph(cls, graph: Graph, given: Given, normalize: str | None = None) -> Recogniser:
        """That of a network with weights of a file, or published ones, which say how pictures are read; `normalize` goes
        before that. Raises `CnnError` (those of `weights.checked`, not-a-classifier)."""
        count = check_classifier(graph)
        arrays = checked(graph, given.arrays, given.origin)
        use = use_of(graph, given, normalize)
        names = use.classes if len(use.classes) == count else ("",) * count
        return cls(graph, arrays, names, use)

    def evaluate(
        self, data: str, held_out: tuple[float, int] | None = None, quantization: Quantization | None = None
    ) -> Evaluation:
        """Compares what the network says of examples with their labels, and beside it what the quantised network says. Raises
        `CnnError`.

        With `held_out`, a share and a seed, the examples are those that training with these would hold out. Else they are the
        part of `data` that the data itself holds out, or all examples where it holds out none.
        """
        import numpy as np
        import torch
        from torch.nn import functional
        from torchmetrics.classification import MulticlassConfusionMatrix

        collection = self._named(find_data(data, self.use.reading))
        check_fits(self.graph, collection)
        examples = collection.read(self.graph.inputs[0].type.shape)
        if held_out is not None:
            indices = collection.parts(*held_out)[1]
        else:
            indices = np.arange(len(collection.labels)) if collection.held_out is None else collection.held_out
        labels = collection.labels[indices]
        matrix = MulticlassConfusionMatrix(len(self.classes))
        losses, among, right, same = 0.0, 0, 0, 0
        beside = None if quantization is None else self._quantized(quantization, examples, indices)
        for start, scores in self._scores(examples, indices):
            truth = torch.from_numpy(labels[start : start + len(scores)])
            losses += float(functional.cross_entropy(scores.double(), truth, reduction="sum"))
            matrix.update(scores, truth)
            among += int((scores.topk(min(5, scores.shape[1])).indices == truth[:, None]).any(1).sum())
            if beside is not None:
                said = beside(start)
                right += int((said == truth).sum())
                same += int((said == scores.argmax(1)).sum())
        counts = matrix.compute().numpy()
        return Evaluation(
            float(np.trace(counts)) / len(labels),
            losses / len(labels),
            len(labels),
            counts,
            collection.classes,
            among / len(labels),
            None if beside is None else right / len(labels),
            None if beside is None else same / len(labels),
        )

    def _quantized(self, quantization: Quantization, examples: np.ndarray, indices: np.ndarray) -> Callable[[int], Any]:
        """The classes that the quantised network says of the batch of these examples that begins at a place."""
        import torch

        from cnndsl.calibration.reference import to_torch
        from cnndsl.training.data.preparation import Preparation

        network, prepare = to_torch(self.graph, quantization), Preparation(self.use.reading)

        def said(start: int) -> Any:
            stored = torch.from_numpy(examples[indices[start : start + BATCH]])
            scores = network(prepare.normalized(prepare.scaled(stored)))
            return scores.flatten(1).argmax(1)

        return said

    def _named(self, data: Collection) -> Collection:
        """The data with the network's own classes, where theirs are some of them by name. Raises `CnnError` (classes-mismatch)
        where one of the data's names is none of the network's."""
        import numpy as np

        if not any(self.classes) or data.classes == self.classes or len(data.classes) == len(self.classes):
            return data
        places = {plain_name(name): place for place, name in reversed(list(enumerate(self.classes)))}
        if odd := [name for name in data.classes if plain_name(name) not in places]:
            near = nearest(plain_name(odd[0]), list(places))
            raise fault(
                "classes-mismatch",
                f"{len(odd)} of the {len(data.classes)} classes of {data.name} are none of {self.graph.name}'s",
                notes=(f"expected names of its {len(self.classes)} classes, found {', '.join(odd[:5])}",),
                help=f"did you mean `{near}`?" if near else "name the folders as the network's classes are",
            )
        own = np.array([places[plain_name(name)] for name in data.classes], np.int64)
        return replace(data, classes=self.classes, labels=own[data.labels])

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
        plain = {key: value for key, value in self.use.reading.items() if key not in ("mean", "std", "scale", "order")}
        return prepared_picture(read_picture(path), self.graph.inputs[0].type.shape, plain)[0]

    def prepared(self, path: Path) -> Arrays:
        """What the network is fed for a picture, by the input's name and with the batch axis. Raises `CnnError`."""
        import torch

        from cnndsl.training.data.preparation import Preparation

        picture = torch.from_numpy(self.picture(path))[None]
        return {self.graph.inputs[0].name: Preparation(self.use.reading).normalized(picture).numpy()}

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
            learner = Learner(self.graph, Options(), Preparation(self.use.reading), (chosen, chosen))
        learner.network.load_state_dict({key: torch.tensor(array) for key, array in self.weights.items()})
        device = "cuda" if torch.cuda.is_available() else "cpu"
        learner.to(device).eval()
        with torch.inference_mode():
            for start in range(0, len(indices), BATCH):
                stored, _ = chosen.__getitems__(range(start, min(start + BATCH, len(indices))))
                yield start, learner.scores(stored.to(device)).cpu()
