"""A trained network and what it says of pictures: names, boxes, regions, pictures, numbers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cnndsl.arrays.inputs import prepared_picture, read_picture
from cnndsl.arrays.use import Use
from cnndsl.arrays.weights import checked
from cnndsl.diagnostics.errors import fault
from cnndsl.ir.graph import Graph
from cnndsl.published.weights import Given, use_of
from cnndsl.training.run import Run

if TYPE_CHECKING:
    import numpy as np

    Arrays = dict[str, np.ndarray]

BATCH = 16


@dataclass(frozen=True)
class Answering:
    """`weights` are the network's, by state-dict key; `use` says how pictures are read and what outputs mean."""

    graph: Graph
    weights: Arrays
    use: Use

    @classmethod
    def of_run(cls, run: Run, given: Given | None = None) -> Answering:
        """That of a run, by default with its best weights. Raises `CnnError`."""
        arrays = run.weights() if given is None else checked(run.graph, given.arrays, given.origin)
        return cls(run.graph, arrays, run.use)

    @classmethod
    def of_graph(cls, graph: Graph, given: Given, normalize: str | None = None) -> Answering:
        """That of a network with weights. Raises `CnnError` (those of `weights.checked`)."""
        return cls(graph, checked(graph, given.arrays, given.origin), use_of(graph, given, normalize))

    def answers(self, images: Sequence[Path]) -> Iterator[tuple[Any, dict[str, Any]]]:
        """Each picture, and what `arrays.answers.answer` says of it. Raises `CnnError` and `MissingPart`."""
        shape = self._shape()
        for start in range(0, len(images), BATCH):
            pictures = [read_picture(path) for path in images[start : start + BATCH]]
            read = [prepared_picture(picture, shape, self.use.reading) for picture in pictures]
            outputs = self._outputs([values for values, _ in read])
            for place, (picture, (_, frame)) in enumerate(zip(pictures, read, strict=True)):
                one = {name: values[place] for name, values in outputs.items()}
                yield picture, self.use.says(one, shape[1:], frame)

    def features(self, images: Sequence[Path]) -> np.ndarray:
        """What the last layer with weights reads, as one row for each picture. Raises `CnnError` (nothing-to-inspect)."""
        import numpy as np

        from cnndsl.backends.pytorch.live.observe import activations
        from cnndsl.training.layers import head

        shape, rows = self._shape(), []
        last = next((node for node in self.graph.nodes if node.name == head(self.graph)), None)
        if last is None or self.use.answer.get("kind") not in ("classes", "tags"):
            source = self.graph.outputs[0].node
        else:
            source = last.inputs[0]
        for start in range(0, len(images), BATCH):
            paths = images[start : start + BATCH]
            read = [prepared_picture(read_picture(path), shape, self.use.reading)[0] for path in paths]
            found = activations(self.graph, self.weights, {self.graph.inputs[0].name: np.stack(read)})
            rows.append(found[source].reshape(len(read), -1))
        return np.concatenate(rows)

    def _shape(self) -> tuple[int, int, int]:
        shape = self.graph.inputs[0].type.shape
        if len(self.graph.inputs) != 1 or len(shape) != 3 or shape[0] not in (1, 3):
            raise fault(
                "wrong-rank",
                f"{self.graph.name} does not look at pictures: it takes {'×'.join(map(str, shape))}",
                help="compile it with `--to tvm`, and `cnndsl run` the package on `.npy` arrays",
            )
        channels, height, width = shape
        return channels, height, width

    def _outputs(self, inputs: Sequence[np.ndarray]) -> Arrays:
        import numpy as np

        from cnndsl.backends.pytorch.live.inference import outputs

        return outputs(self.graph, self.weights, {self.graph.inputs[0].name: np.stack(inputs)}, "float32")
