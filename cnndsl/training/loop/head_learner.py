"""A learner whose frozen layers are computed once, before the first epoch: what learns begins with their features."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from cnndsl.backends.pytorch.live.halves import from_node, value_of
from cnndsl.ir.graph import Graph
from cnndsl.training.data.batches import Examples
from cnndsl.training.data.collection import room
from cnndsl.training.loop.learner import Learner

BATCH = 64


class HeadLearner(Learner):
    """`boundary` is the node through which all that learns sees the input.

    Epochs give what they would give without that, but for rounding: features are computed in batches of `BATCH`.
    """

    def __init__(self, graph: Graph, *about: Any, boundary: str) -> None:
        super().__init__(graph, *about)
        self.boundary = boundary
        self.input = graph.inputs[0].name
        self.gathered = False

    def on_fit_start(self) -> None:
        super().on_fit_start()
        self.parts = self._features(self.parts)
        self.gathered = True

    def _features(self, parts: tuple[Examples, Examples]) -> tuple[Examples, Examples]:
        examples = parts[0].examples
        everything = Examples(examples, parts[0].labels, np.arange(len(examples)))
        features: np.ndarray | None = None
        learning = self.training
        self.eval()
        with torch.inference_mode(), self.trainer.precision_plugin.forward_context():
            for start in range(0, len(examples), BATCH):
                stored, _ = everything.__getitems__(range(start, min(start + BATCH, len(examples))))
                x = self.preparation.normalized(self.preparation.scaled(stored.to(self.device)))
                found = value_of(self.network, self.boundary, {self.input: self._laid_out(x)}).float().cpu().numpy()
                if features is None:
                    features = room(len(examples), found.shape[1:], "float32")
                features[start : start + len(found)] = found
        self.train(learning)
        assert features is not None
        training, held_out = (Examples(features, part.labels, part.indices) for part in parts)
        return training, held_out

    def _outputs(self, x: torch.Tensor) -> Any:
        if not self.gathered:
            return super()._outputs(x)
        return from_node(self.network, self.boundary, self._laid_out(x))
