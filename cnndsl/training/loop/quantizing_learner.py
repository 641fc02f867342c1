"""A learner whose last epochs round what the network in whole numbers rounds, and are examined by that network itself."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import torch

from cnndsl.calibration.on_reals.fake_quantized import FakeQuantized
from cnndsl.calibration.reference import Reference, to_torch
from cnndsl.ir.graph import Graph
from cnndsl.quantization.quantization import Quantization
from cnndsl.training.loop.learner import Learner
from cnndsl.version import __version__

RANGES = 512
"""Examples from which the ranges of an epoch are taken."""
BATCH = 64


class QuantizingLearner(Learner):
    """`whole` learns in the last `quantize` epochs, and the network itself no more: it stays as the last epoch in float32 left it.

    Each of these epochs begins with the ranges that training examples show; with these it learns, is examined and is saved.
    """

    def __init__(self, graph: Graph, *about: Any) -> None:
        super().__init__(graph, *about)
        self.graph = graph
        self.whole = FakeQuantized(graph, self._weights(), self.frozen)
        self._reference: Reference | None = None

    @property
    def quantizes(self) -> bool:
        """Whether the present epoch rounds."""
        epoch: int = self.current_epoch
        return epoch >= self.options.epochs_in_float32

    def on_train_epoch_start(self) -> None:
        super().on_train_epoch_start()
        if self.current_epoch == self.options.epochs_in_float32:
            self.whole.begin(self._weights())
        if self.quantizes:
            self.whole.observe(self._seen())

    def on_validation_epoch_start(self) -> None:
        self._reference = to_torch(self.graph, self.quantization()) if self.quantizes else None

    def quantization(self) -> Quantization:
        """The quantised network as it is now."""
        about = {
            "method": "trained with rounded numbers, the ranges from the smallest to the largest number",
            "pictures": str(min(RANGES, len(self.parts[0]))),
            "cnndsl": __version__,
            "network": self.graph.name,
        }
        return self.whole.quantization(self._weights(), about)

    def named_weights(self) -> Iterator[tuple[str, torch.nn.Parameter]]:
        yield from super().named_weights()
        yield from self.whole.learning()

    def _outputs(self, x: torch.Tensor) -> Any:
        if not self.quantizes:
            return super()._outputs(x)
        x = self.preparation.normalized(x)
        if self.training or self._reference is None:
            return self.whole(x)
        # The reference computes on the processor, bit by bit what packages do.
        return self._reference(x.cpu().contiguous()).to(x.device)

    def _seen(self) -> Iterator[torch.Tensor]:
        """Examples to take ranges from, the same in every epoch, as the network is fed them in use."""
        part = self.parts[0]
        chosen = np.sort(np.random.default_rng(self.options.seed).permutation(len(part))[:RANGES])
        for start in range(0, len(chosen), BATCH):
            stored, _ = part.__getitems__(chosen[start : start + BATCH].tolist())
            yield self.preparation.normalized(self.preparation.scaled(stored.to(self.device)))

    def _weights(self) -> dict[str, np.ndarray]:
        """Copies of the network's weights by its keys."""
        return {key: value.detach().cpu().numpy().copy() for key, value in self.network.state_dict().items()}
